"""Stand-in for st2common.services."""
