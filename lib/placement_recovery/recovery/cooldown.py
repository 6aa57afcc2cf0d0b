"""The cooldown: a trigger for a host that was just dealt with does nothing, however many come from wherever."""

from __future__ import annotations

from typing import Tuple

from placement_recovery.record.journal import all_progress
from placement_recovery.record.record import OPEN, Progress
from placement_recovery.recovery.context import Context
from placement_recovery.told import age, recall


def cooling(context: Context, host: str) -> str:
    """Why a trigger for this host has to wait; "" where it need not. Reads the store alone."""
    seen = [_seen(one) for one in all_progress(context.store) if one.host == host]
    memory = recall(context.store, host)
    if memory.ended_at:
        seen.append((memory.ended_at, f"a trigger's run for it ended ({memory.state})"))
    if not seen or not context.config.cooldown:
        return ""
    at, what = max(seen)
    seconds = age(context.clock, at)
    # Another runner's clock may be ahead a little; one that is years ahead must not stop all for years.
    if abs(seconds) >= context.config.cooldown:
        return ""
    return f"{what} {max(seconds, 0):.0f} s ago, and the cooldown is {context.config.cooldown} s"


def _seen(progress: Progress) -> Tuple[str, str]:
    if progress.state == OPEN:
        return progress.updated_at, f"recovery {progress.id} of it was at work"
    return progress.updated_at, f"recovery {progress.id} of it ended ({progress.state})"
