"""What is wrong with an action's parameters taken together; StackStorm's schemas see each by itself."""

from __future__ import annotations

import re

from placement_recovery.errors import InvalidInput


def check_one_of(first: str, one: str, second: str, other: str) -> None:
    """Raise InvalidInput unless exactly one of two parameters is given."""
    if bool(one) == bool(other):
        raise InvalidInput(f"give either {first} or {second}")


def check_uuid(name: str, value: str) -> None:
    """Raise InvalidInput unless a parameter is a UUID: Placement answers for any other text that it holds nothing."""
    if not re.fullmatch(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", value, re.IGNORECASE):
        raise InvalidInput(f"{name} must be a UUID, not {value!r}")
