"""The recovery record: what was saved, written once, and how far the recovery came, rewritten at each step."""
