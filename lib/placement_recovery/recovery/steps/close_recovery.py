"""close_recovery: the end of a recovery gives back the service and the lock, and closes the record."""

from __future__ import annotations

from placement_recovery.plan.method import DISCARD, TRANSPLANT
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import ABANDONED, BACK, FINISHED, ROLLED_BACK
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.late_writes import wait_out_late_writes
from placement_recovery.recovery.lock import release_locks
from placement_recovery.recovery.retention import purge
from placement_recovery.recovery.service import give_back_service, keep_service_disabled


def close_recovery(context: Context, journal: Journal) -> str:
    """No lock anywhere, the service as it was, the record finished (or rolled back).

    After a discard the service stays disabled while servers run on the host without allocations.
    The lock goes first: once enabled, nova-compute writes back the traits that it has just read, and creates anew those
    that are gone (verified in nova/scheduler/client/report.py, set_traits_for_provider).
    """
    _release(context, journal)
    discarded = journal.saved.method == DISCARD and journal.progress.direction != BACK
    service = (keep_service_disabled(context, journal) if discarded else "") or give_back_service(context, journal)
    state = ROLLED_BACK if journal.progress.direction == BACK else FINISHED
    journal.close(state)
    ended = f"recovery {journal.saved.id} of {journal.saved.host} is {state.replace('_', ' ')}"
    return "; ".join(filter(None, (ended, service, purge(context))))


def abandon_recovery(context: Context, journal: Journal) -> str:
    """The same for a recovery that took nothing away: all is as it was, and a new one can be started.

    The service goes first: it may be Placement that does not answer.
    """
    if journal.saved.method == TRANSPLANT:
        wait_out_late_writes(context, journal)
    service = give_back_service(context, journal)
    _release(context, journal)
    journal.close(ABANDONED)
    return f"nothing was taken away, recovery {journal.saved.id} is closed; {service}"


def _release(context: Context, journal: Journal) -> None:
    made = journal.progress.providers
    release_locks(context, journal, sorted({*journal.saved.stale_uuids, *made, *made.values()}))
