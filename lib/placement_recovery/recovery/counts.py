"""What became of the consumers of a recovery, counted in words."""

from __future__ import annotations

from placement_recovery.plan.consumers import DROP, TRIM
from placement_recovery.records.record import Saved


def counted(saved: Saved, kept: int, skipped: int) -> str:
    """How many hold their part on the new provider, whose owners changed it meanwhile, and who gave theirs up."""
    given_up = len(saved.with_disposition(DROP, TRIM))
    parts = (
        f"{kept} consumers hold the new provider as they held the stale one" if kept else "",
        f"{skipped} do not, because their owners deleted or moved them meanwhile" if skipped else "",
        f"{given_up} gave up what they held of it" if given_up else "",
    )
    return ", ".join(filter(None, parts)) or "nobody held the stale provider"
