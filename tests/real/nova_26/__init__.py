"""Nova 26, where a flip of the host's name leaves live servers on a stale provider."""
