"""The end of a recovery: give back the service and the claim, whether all went well or nothing was begun."""

from __future__ import annotations

from placement_recovery.record.journal import Journal
from placement_recovery.record.record import ABANDONED, BACK, FINISHED, ROLLED_BACK
from placement_recovery.recovery import claim
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.retention import purge
from placement_recovery.recovery.service import give_back


def close(context: Context, journal: Journal) -> str:
    """No claim anywhere, the service as it was, the record finished (or rolled back).

    The claim goes first: once enabled, nova-compute writes back the traits that it has just read, and makes those anew
    that are gone (nova/scheduler/client/report.py, set_traits_for_provider; read).
    """
    _release(context, journal)
    said = give_back(context, journal)
    state = ROLLED_BACK if journal.progress.direction == BACK else FINISHED
    journal.close(state)
    told = [f"recovery {journal.saved.id} of {journal.saved.host} is {state.replace('_', ' ')}", said, purge(context)]
    return "; ".join(filter(None, told))


def abandon(context: Context, journal: Journal) -> str:
    """The same for a recovery that took nothing away: all is as it was, and a new one can be started.

    The service goes first: it may be Placement that is away.
    """
    said = give_back(context, journal)
    _release(context, journal)
    journal.close(ABANDONED)
    return f"nothing was taken away, recovery {journal.saved.id} is closed; {said}"


def _release(context: Context, journal: Journal) -> None:
    for provider in sorted({*journal.saved.stale_uuids, *journal.progress.providers.values()}):
        claim.release(context, journal, provider)
