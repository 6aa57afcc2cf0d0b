"""show_recoveries: what is unfinished first, each with what to type."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from placement_recovery import commands
from placement_recovery.clock import Clock
from placement_recovery.cloud.model import as_dict
from placement_recovery.errors import RecordInvalid
from placement_recovery.plan.report import columns, counted
from placement_recovery.records.journal import Journal, readable_progress
from placement_recovery.records.record import BACK, DONE, INTENDED, OPEN, Progress, flat
from placement_recovery.records.stores.base import Store
from placement_recovery.recovery.methods import steps_of

Row = Dict[str, str]

UNREADABLE = "unreadable"


def remnant_row(subject: str, host: str, what: str, way: str) -> Row:
    """A row for what is not a recovery, but the trace of one."""
    known = {"id": subject, "host": host, "method": "-", "state": what, "at": "-"}
    return {**known, "started": "-", "last_sign": "-", "next": way}


def show_all(
    store: Store, host: str = "", remnants: Sequence[Row] = (), unseen: str = "", only_open: bool = False
) -> Dict[str, Any]:
    """All recoveries (of a host, or that are unfinished): first unreadable records, then unfinished ones.

    `remnants` are what recoveries have left behind in the cloud, which come before those that have ended; `unseen` says
    why nobody looked for them.
    """
    readable, broken = readable_progress(store, host)
    found = [one for one in readable if not only_open or one.state == OPEN]
    waiting = [one for one in found if one.state == OPEN]
    ended = [one for one in reversed(found) if one.state != OPEN]
    urgent = [*(_broken_row(one, error) for one, error in broken.items()), *map(_row, waiting)]
    past = [_row(one) for one in ended]
    lines = [tuple(row.values()) for row in (*urgent, *remnants, *past)]
    return {
        "summary": f"{counted(len(found), 'recovery')}{f' of {host}' if host else ''}, {len(waiting)} unfinished"
        + (f"; {len(broken)} cannot be read, and until they can nothing new is begun on their hosts" if broken else "")
        + "".join(f"; {one['state']}: {one['host']}" for one in remnants)
        + (f"; {unseen}" if unseen else ""),
        "recoveries": [*urgent, *past],
        "left_behind": list(remnants),
        "table": "\n".join(columns([("id", "host", "method", "state", "at", "started", "last sign", "next"), *lines])),
    }


def show_one(store: Store, clock: Clock, recovery_id: str) -> Dict[str, Any]:
    """One recovery: its steps, what was saved, and what to type next."""
    journal = Journal.load(store, clock, recovery_id)
    row = _row(journal.progress)
    return {
        "summary": _summary(row, journal.progress),
        **row,
        "recovery_id": recovery_id,
        "direction": journal.progress.direction,
        "steps": _steps(journal.progress),
        "outcomes": dict(journal.progress.outcomes),
        "started_by": journal.saved.started_by,
        "digest": journal.saved.digest,
        "stale_provider": journal.saved.stale.uuid,
        "providers": dict(journal.progress.providers),
        "consumers": [flat(one) for one in journal.saved.consumers],
    }


def _steps(progress: Progress) -> List[Dict[str, Any]]:
    """The steps that were begun, in their order; those of a rollback last."""
    order = [step.name for back in (False, True) for step in steps_of(progress.method, back)]
    names = sorted(progress.steps, key=lambda name: order.index(name) if name in order else len(order))
    return [{"name": name, **as_dict(progress.steps[name])} for name in names]


def _summary(row: Row, progress: Progress) -> str:
    begin = f"recovery {row['id']} of {row['host']} ({row['method']}) is {row['state']}"
    if progress.state != OPEN:
        failed = [f"; {name} failed: {one.error}" for name, one in progress.steps.items() if one.error]
        return begin + (failed[-1] if failed else "")
    step = progress.steps.get(row["at"])
    if step is None:
        at = "has not begun"
    elif step.state == INTENDED:
        at = "began and has not ended: it is under way, or died"
    else:
        at = f"failed: {step.error}"
    kept = "All that was saved is kept" if progress.past_no_return else "Nothing was taken away yet"
    return f"{begin}; {row['at']} {at}, last written {progress.updated_at}. {kept}; go on with '{row['next']}'"


def _row(progress: Progress) -> Row:
    step = current_step(progress)
    return {
        "id": progress.id,
        "host": progress.host,
        "method": progress.method,
        "state": progress.state,
        "at": step or "-",
        "started": progress.created_at,
        "last_sign": progress.updated_at,
        "next": way_on(progress) if progress.state == OPEN else "",
    }


def _broken_row(recovery_id: str, error: RecordInvalid) -> Row:
    known = {"id": recovery_id, "host": "?", "method": "?", "state": UNREADABLE, "at": "-"}
    return {**known, "started": "?", "last_sign": "?", "next": str(error)}


def way_on(progress: Progress) -> str:
    """The command that goes on with an open recovery, in its direction."""
    return (commands.roll_back if progress.direction == BACK else commands.resume)(progress.id)


def current_step(progress: Progress) -> Optional[str]:
    """The step where it stands: the first that is not done; None where all are."""
    names: List[str] = [step.name for step in steps_of(progress.method, progress.direction == BACK)]
    return next((one for one in names if one not in progress.steps or progress.steps[one].state != DONE), None)
