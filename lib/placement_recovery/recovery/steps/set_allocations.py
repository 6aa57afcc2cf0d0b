"""set_allocations: the kept consumers hold the new provider as they held the stale one."""

from __future__ import annotations

from placement_recovery.plan.consumers import KEEP
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.former_roots import delete_former_roots, former_roots
from placement_recovery.recovery.new_provider import require_new_provider
from placement_recovery.recovery.restoration import Restoration, restore_allocations


def set_allocations(context: Context, journal: Journal) -> str:
    """Set all kept consumers' allocations on the new provider. Raises what `restore_allocations` raises.

    What this recovery made for a UUID that the compute node has lost is deleted then.
    """
    provider = require_new_provider(context, journal)
    former, kept = former_roots(context, journal, provider.uuid), journal.saved.with_disposition(KEEP)
    summary = restore_allocations(Restoration(context, journal, provider, kept, former))
    delete_former_roots(context, former)
    return summary
