"""set_allocations: the kept consumers hold the new provider as they held the stale one."""

from __future__ import annotations

from placement_recovery import commands
from placement_recovery.errors import ProviderInUse
from placement_recovery.plan.consumers import KEEP
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import require_new_provider
from placement_recovery.recovery.replacement import stale_roots
from placement_recovery.recovery.restoration import Restoration, restore_allocations


def set_allocations(context: Context, journal: Journal) -> str:
    """Set all kept consumers' allocations on the new provider. Raises what `restore_allocations` raises.

    What this recovery made for a UUID that the compute node has lost again is deleted then.
    """
    provider = require_new_provider(context, journal)
    former = tuple(one for one in stale_roots(journal)[1:] if context.reader.provider(one) is not None)
    kept = journal.saved.with_disposition(KEEP)
    summary = restore_allocations(Restoration(context, journal, provider, kept, former))
    for uuid in former:
        _delete(context, uuid)
    return summary


def _delete(context: Context, former: str) -> None:
    left = sorted(context.placement.consumers_of(former))
    if left:
        raise ProviderInUse(
            f"provider {former}, which was made for a UUID that the compute node has lost, is held by consumer "
            f"{', '.join(left[:5])}, which is not kept by this recovery: see who made that allocation "
            f"('{commands.show_allocations(consumer=left[0])}'); when it is gone, resume"
        )
    context.placement.delete_provider(former)
