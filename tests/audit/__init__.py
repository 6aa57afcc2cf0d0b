"""The audit of the whole cloud."""
