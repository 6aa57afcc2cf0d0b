"""Recover OpenStack compute hosts whose resource provider was left behind."""
