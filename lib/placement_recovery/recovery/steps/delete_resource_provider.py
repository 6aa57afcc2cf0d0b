"""delete_resource_provider: delete the stale provider, proven again right before."""

from __future__ import annotations

from placement_recovery.cloud.placement import PROVIDER_IN_USE
from placement_recovery.errors import ApiConflict, ProviderInUse
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import require_lock
from placement_recovery.recovery.proof import check_empty, prove_again


def delete_resource_provider(context: Context, journal: Journal) -> str:
    """Delete the stale provider, on which nothing is allocated. Raises ProviderInUse where something is again."""
    saved = journal.saved
    if context.reader.provider(saved.stale.uuid) is None:
        return f"provider {saved.stale.uuid} is gone already"
    require_lock(context, journal, saved.stale.uuid)
    prove_again(context, saved, holders=False)
    check_empty(context, saved.stale_uuids)
    passed = journal.progress.past_no_return
    journal.pass_no_return()
    try:
        context.placement.delete_provider(saved.stale.uuid)
    except ApiConflict as error:
        journal.pass_no_return(passed)
        if error.code == PROVIDER_IN_USE:
            check_empty(context, saved.stale_uuids)
        raise ProviderInUse(f"provider {saved.stale.uuid} could not be deleted: {error}; then resume") from error
    return f"provider {saved.stale.uuid} ({saved.stale.name}) is deleted"
