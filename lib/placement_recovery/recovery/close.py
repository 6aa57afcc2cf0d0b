"""The end of a recovery: give back the service and the claim, whether all went well or nothing was begun."""

from __future__ import annotations

from placement_recovery.record.journal import Journal
from placement_recovery.record.record import ABANDONED, FINISHED
from placement_recovery.recovery import claim
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.service import give_back


def close(context: Context, journal: Journal) -> str:
    """The service as it was, no claim anywhere, the record finished."""
    said = _give_back(context, journal)
    journal.close(FINISHED)
    return f"recovery {journal.saved.id} of {journal.saved.host} is finished; {said}"


def abandon(context: Context, journal: Journal) -> str:
    """The same for a recovery that took nothing away: all is as it was, and a new one can be started."""
    said = _give_back(context, journal)
    journal.close(ABANDONED)
    return f"nothing was taken away, recovery {journal.saved.id} is closed; {said}"


def _give_back(context: Context, journal: Journal) -> str:
    said = give_back(context, journal)
    saved = journal.saved
    for provider in sorted({*saved.stale_uuids, *journal.progress.providers.values()}):
        claim.release(context, saved.id, provider)
    return said
