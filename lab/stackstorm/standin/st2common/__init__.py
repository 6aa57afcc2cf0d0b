"""Stand-in for StackStorm's st2common: the base class of actions, and the datastore's client."""
