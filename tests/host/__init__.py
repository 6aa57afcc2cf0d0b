"""Tests of placement_recovery.host, on a real SSH server."""
