"""What became of the consumers of a recovery, counted in words."""

from __future__ import annotations

from placement_recovery.plan.consumers import DROP, TRIM
from placement_recovery.records.record import Saved


def counted(saved: Saved, kept: int, skipped: int) -> str:
    """How many hold on the new provider what they held, how many their owners changed, and how many lost their part."""
    given_up = len(saved.with_disposition(DROP, TRIM))
    parts = (
        f"{kept} kept" if kept else "",
        f"{skipped} skipped, because their owners deleted or moved them meanwhile" if skipped else "",
        f"{given_up} given up" if given_up else "",
    )
    return "consumers: " + (", ".join(filter(None, parts)) or "none")
