"""The steps of a recovery: each looks, records its intent, writes, and records the outcome."""
