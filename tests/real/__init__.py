"""Recoveries of a whole real OpenStack: what only a real nova-compute, conductor and scheduler can show."""
