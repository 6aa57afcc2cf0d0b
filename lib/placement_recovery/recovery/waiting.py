"""A wait goes on while Nova or Placement do not answer, until its own time is over."""

from __future__ import annotations

from typing import Callable, TypeVar

from placement_recovery.errors import ApiUnavailable, ApiUnreachable
from placement_recovery.recovery.context import Context

Seen = TypeVar("Seen")


def look_until(context: Context, end: float, poll: float, look: Callable[[], Seen]) -> Seen:
    """What `look` returns; again while it gets no answer or 5xx, until `end` on the context's clock.

    Raises what it raised last.
    """
    while True:
        try:
            return look()
        except (ApiUnreachable, ApiUnavailable):
            if context.clock.seconds() >= end:
                raise
        context.clock.sleep(poll)
