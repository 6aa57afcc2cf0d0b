"""The chat's aliases."""
