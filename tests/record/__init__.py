"""The recovery record: its documents, its values and its journal."""
