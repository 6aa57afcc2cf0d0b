"""What is wrong with an action's parameters taken together; StackStorm's schemas see each by itself."""

from __future__ import annotations

from placement_recovery.errors import InvalidInput


def check_one_of(first: str, one: str, second: str, other: str) -> None:
    """Raise InvalidInput unless exactly one of two parameters is given."""
    if bool(one) == bool(other):
        raise InvalidInput(f"give either {first} or {second}")
