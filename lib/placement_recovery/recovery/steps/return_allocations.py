"""return_allocations: in a rollback, all saved consumers hold the stale provider as they did."""

from __future__ import annotations

from placement_recovery.errors import VerificationFailed
from placement_recovery.plan.owners import HELD
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.former_roots import delete_former_roots, former_roots
from placement_recovery.recovery.lock import require_lock
from placement_recovery.recovery.restoration import Restoration, restore_allocations


def return_allocations(context: Context, journal: Journal) -> str:
    """Give all consumers their part back, unless Nova shows that their owners changed it."""
    saved = journal.saved
    require_lock(context, journal, saved.stale.uuid)
    provider = context.placement.describe(context.placement.show_provider(saved.stale.uuid))
    former = former_roots(context, journal, provider.uuid)
    restoration = Restoration(context, journal, provider, saved.consumers, former)
    summary = restore_allocations(restoration)
    _check(restoration)
    delete_former_roots(context, former)
    return summary


def _check(restoration: Restoration) -> None:
    verdicts = restoration.verdicts()
    held = restoration.context.placement.consumers_of(restoration.provider.uuid)
    wrong = [
        one.uuid
        for one in restoration.decisions
        if verdicts[one.uuid].what == HELD and held.get(one.uuid) != dict(restoration.part(one))
    ]
    if wrong:
        raise VerificationFailed(
            f"{len(wrong)} consumer(s) do not hold provider {restoration.provider.uuid} as they were saved: "
            f"{', '.join(wrong[:5])}. Roll back again, or look at each"
        )
