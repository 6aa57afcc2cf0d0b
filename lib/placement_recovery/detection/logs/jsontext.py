"""JSON from a log, which may hold anything: reading it must neither raise nor take long."""

from __future__ import annotations

import json
from typing import Any, Dict

_LONGEST_NUMBER = 20


def read_object(text: str) -> Dict[str, Any]:
    """Return the JSON object in `text`, empty if it is something else."""
    try:
        value = json.loads(text, parse_int=_read_int)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_string(text: str) -> str:
    """Return the string that a JSON string in `text` stands for, empty if it is something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def read_first_object(text: str) -> Dict[str, Any]:
    """Return the JSON object at the beginning of `text`, whatever follows it; empty if there is none."""
    try:
        value, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_text(value: Any) -> str:
    """Return a string as it is, an integer as its digits, and an empty string for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _read_int(digits: str) -> int:
    # Parsing a number takes quadratic time; no field of a log record is that long.
    return int(digits) if len(digits) <= _LONGEST_NUMBER else 0


_DECODER = json.JSONDecoder(parse_int=_read_int)
