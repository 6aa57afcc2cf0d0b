"""lock_provider: of two recoveries that start at once, one gets the stale provider."""

from __future__ import annotations

from placement_recovery.errors import ApiNotFound, RecoveryUnderWay
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock


def lock_provider(context: Context, journal: Journal) -> str:
    """Lock it, where it still stands. Raises RecoveryUnderWay.

    The new one is never locked: nova-compute keeps the traits of its own root in memory, and would create again, or
    even write back, a lock that was released.
    """
    saved = journal.saved
    try:
        return take_lock(context, journal, saved.stale.uuid, over=True)
    except ApiNotFound:
        pass  # it is deleted at the end of a transplant, or in the middle of another method
    if not journal.progress.past_no_return:
        # Two were started at once: the other one has deleted it, and what happens now is its business alone.
        raise RecoveryUnderWay(
            f"provider {saved.stale.uuid} of {saved.host} is gone, and recovery {saved.id} did not delete it, for it "
            f"has not begun: another recovery, or a person, was faster"
        )
    return f"provider {saved.stale.uuid} is gone, so there is nothing to lock any more"
