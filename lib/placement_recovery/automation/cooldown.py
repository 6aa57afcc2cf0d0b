"""The cooldown: a trigger for a host that was just dealt with does nothing, however many there are."""

from __future__ import annotations

from typing import Tuple

from placement_recovery.automation.notified import age, recall, unknown_since
from placement_recovery.clock import Clock
from placement_recovery.records.journal import progress_of
from placement_recovery.records.record import OPEN, Progress
from placement_recovery.records.stores.base import Store


def cooling(store: Store, clock: Clock, cooldown: int, host: str) -> str:
    """Why a trigger for this host has to wait; "" where it need not. Reads the store alone."""
    if not cooldown:
        return ""
    seen = [_seen(one) for one in progress_of(store, host)]
    known = recall(store, host)
    unknown = unknown_since(store, host)
    if unknown:
        seen.append((unknown, "nova showed no such host"))
    if known.ended_at:
        seen.append((known.ended_at, f"a trigger's run for it ended ({known.state})"))
    if not seen:
        return ""
    at, what = max(seen)
    seconds = age(clock, at)
    # Another runner's clock may be ahead a little; one that is years ahead must not stop all for years.
    if abs(seconds) >= cooldown:
        return ""
    return f"{what} {max(seconds, 0):.0f} s ago, and the cooldown is {cooldown} s"


def _seen(progress: Progress) -> Tuple[str, str]:
    if progress.state == OPEN:
        return progress.updated_at, f"recovery {progress.id} of it was at work"
    return progress.updated_at, f"recovery {progress.id} of it ended ({progress.state})"
