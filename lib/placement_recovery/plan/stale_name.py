"""The name that a stale root bears while transplant puts a new root in its place: NODE.stale-ID."""

from __future__ import annotations

import re

# Of a resource provider's name (Placement's schema).
MAX_NAME_LENGTH = 200

_STALE_NAME = re.compile(r"\.stale-(?P<recovery>[a-z0-9]{8,32})(-\d+)?$")


def stale_name(node: str, recovery_id: str, number: int = 0) -> str:
    """The name under which a recovery sets a root aside; the node's name is cut where it would be too long.

    `number` tells roots apart where a recovery sets aside more than one.
    """
    suffix = f".stale-{recovery_id}" + (f"-{number}" if number else "")
    return node[: MAX_NAME_LENGTH - len(suffix)] + suffix


def recovery_of_stale_name(name: str) -> str:
    """The id of the recovery that set aside a root of this name; "" for any other name."""
    found = _STALE_NAME.search(name)
    return found.group("recovery") if found else ""
