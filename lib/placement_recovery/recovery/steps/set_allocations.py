"""set_allocations: the kept consumers hold the new provider as they held the stale one."""

from __future__ import annotations

from placement_recovery.plan.consumers import KEEP
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock
from placement_recovery.recovery.new_provider import require_new_provider
from placement_recovery.recovery.restoration import Restoration, restore_allocations


def set_allocations(context: Context, journal: Journal) -> str:
    """Set all kept consumers' allocations on the new provider. Raises what `restore_allocations` raises."""
    provider = require_new_provider(context, journal)
    take_lock(context, journal, provider.uuid)
    return restore_allocations(Restoration(context, journal, provider, journal.saved.with_disposition(KEEP)))
