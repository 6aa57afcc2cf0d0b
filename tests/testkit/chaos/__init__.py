"""Recoveries that are killed, refused and meddled with at every point."""
