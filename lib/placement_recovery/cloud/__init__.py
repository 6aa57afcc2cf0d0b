"""Keystone, Nova and Placement: the session, one client each, all reads, and what they return."""
