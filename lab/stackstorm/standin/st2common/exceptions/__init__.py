"""Stand-in for st2common.exceptions."""
