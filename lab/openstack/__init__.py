"""A real OpenStack on loopback: its processes, its databases, and the ways to break it."""
