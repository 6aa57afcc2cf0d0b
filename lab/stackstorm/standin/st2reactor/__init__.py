"""Stand-in for StackStorm's st2reactor: the base classes of sensors."""
