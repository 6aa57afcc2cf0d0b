"""How long the records of recoveries that have ended are kept. One that is unfinished is never purged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import List

from placement_recovery.clock import TIME_FORMAT
from placement_recovery.errors import RecordFailure
from placement_recovery.records.journal import readable_progress
from placement_recovery.records.planned import purge_planned
from placement_recovery.records.record import OPEN, Progress
from placement_recovery.recovery.context import Context


def purge(context: Context) -> str:
    """Remove what ended more than keep_days ago, and the oldest beyond keep_records; "" where nothing was to remove.

    Called at the end of a recovery that went well, so records that cannot be removed are reported, not raised.
    """
    try:
        gone = _outdated(context)
        for one in gone:
            context.store.remove(one.id)
        purge_planned(context.store, context.clock)
    except RecordFailure as error:
        return f"old records could not be purged: {error}"
    return f"{len(gone)} old record(s) were purged" if gone else ""


def _outdated(context: Context) -> List[Progress]:
    """Ended recoveries by age and by number, the oldest first."""
    ended = [one for one in readable_progress(context.store)[0] if one.state != OPEN]
    oldest = _time(context.clock.now()) - timedelta(days=context.config.keep_days)
    beyond = max(0, len(ended) - context.config.keep_records)
    return [one for index, one in enumerate(ended) if index < beyond or _time(one.updated_at) < oldest]


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT)
