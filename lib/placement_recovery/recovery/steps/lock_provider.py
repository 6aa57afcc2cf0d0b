"""lock_provider: of two recoveries that start at once, one gets the provider."""

from __future__ import annotations

from placement_recovery.errors import ApiNotFound, RecoveryUnderWay
from placement_recovery.plan.method import TRANSPLANT
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock


def lock_provider(context: Context, journal: Journal) -> str:
    """Lock the stale provider, or the new one where that is there. Raises RecoveryUnderWay.

    A transplant locks the stale one alone; see copy_provider_settings.
    """
    saved = journal.saved
    new = None if saved.method == TRANSPLANT else journal.progress.providers.get(saved.stale.uuid)
    locked = _lock(context, journal, saved.stale.uuid)
    if locked:
        if new is not None:
            _lock(context, journal, new)
        return locked
    if not journal.progress.past_no_return:
        # Two were started at once: the other one has deleted it, and what happens now is its business alone.
        raise RecoveryUnderWay(
            f"provider {saved.stale.uuid} of {saved.host} is gone, and recovery {saved.id} did not delete it, for it "
            f"has not begun: another recovery, or a person, was faster"
        )
    nothing = f"provider {saved.stale.uuid} is gone, and no other one is to be locked yet"
    return (_lock(context, journal, new) if new is not None else "") or nothing


def _lock(context: Context, journal: Journal, provider: str) -> str:
    """What take_lock says; "" where there is no such provider."""
    try:
        return take_lock(context, journal, provider, over=True)
    except ApiNotFound:
        return ""
