"""Wait out a write that carries no generation and was not answered: nothing else shows that it can no longer come.

A rename, the service's switch and the DELETE of an empty root are carried out whenever they arrive. Carried out after
the end of a recovery, one could free the name of an enabled host.
"""

from __future__ import annotations

from datetime import datetime

from placement_recovery.clock import TIME_FORMAT
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context


def wait_out_late_writes(context: Context, journal: Journal) -> None:
    """Sleep until `late_write_wait` seconds have passed since such a write may have been sent."""
    at = journal.progress.unanswered_at
    if not at:
        return
    passed = (_time(context.clock.now()) - _time(at)).total_seconds()
    left = context.config.late_write_wait - max(passed, 0.0)
    if left > 0:
        context.clock.sleep(left)


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT)
