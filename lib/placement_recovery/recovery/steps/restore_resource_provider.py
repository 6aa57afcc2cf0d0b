"""restore_resource_provider: the first step of a rollback, the stale provider as it was.

That is possible until the new provider is created, for a name can only exist once; from then on the way is forward.
What can be taken back at which step stands in docs/safety.md.
"""

from __future__ import annotations

from placement_recovery import commands
from placement_recovery.cloud.model import LOCK_PREFIX, Provider
from placement_recovery.cloud.placement import DUPLICATE_NAME
from placement_recovery.errors import ApiConflict, StepFailed
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.former_roots import set_aside
from placement_recovery.recovery.lock import take_lock
from placement_recovery.recovery.methods import RESTORE_RESOURCE_PROVIDER
from placement_recovery.recovery.replacement import compute_node_now
from placement_recovery.recovery.update import update_with_retry


def restore_resource_provider(context: Context, journal: Journal) -> str:
    """The stale provider with its UUID, name, inventories, traits and aggregates.

    Raises StepFailed if the new provider is there already.
    """
    saved = journal.saved
    journal.take_over(RESTORE_RESOURCE_PROVIDER.name)
    stands = context.reader.provider(saved.stale.uuid) is not None
    if not stands:
        _create(context, journal)
    journal.turn_back()
    take_lock(context, journal, saved.stale.uuid, over=True)
    update_with_retry(context, saved.stale.uuid, lambda found: _inventories(context, saved.stale, found))
    update_with_retry(context, saved.stale.uuid, lambda found: _traits(context, saved.stale, found))
    update_with_retry(context, saved.stale.uuid, lambda found: _aggregates(context, saved.stale, found))
    return f"provider {saved.stale.uuid} ({saved.stale.name}) {'stands' if stands else 'is back'} as it was saved"


def _create(context: Context, journal: Journal) -> None:
    """What this recovery made for a UUID that the compute node has lost since does not stand in the way."""
    saved, made = journal.saved, journal.progress.providers.values()
    bearer = context.reader.find_provider_by_name(saved.stale.name)
    if bearer is not None and bearer.uuid in made:
        current = compute_node_now(context, saved).uuid
        if bearer.uuid != current:
            set_aside(context, journal, bearer, current)
            bearer = None
    if bearer is None:
        try:
            return context.placement.create_provider(saved.stale.uuid, saved.stale.name)
        except ApiConflict as error:
            if error.code != DUPLICATE_NAME:
                raise
    raise StepFailed(
        f"the new provider {saved.stale.name} of {saved.host} is there already, so the stale one cannot come back. "
        f"Nothing was changed; finish forward: '{commands.resume(saved.id)}'"
    )


def _inventories(context: Context, old: Provider, found: Provider) -> bool:
    if found.inventories == old.inventories:
        return False
    context.placement.set_inventories(found, old.inventories)
    return True


def _traits(context: Context, old: Provider, found: Provider) -> bool:
    """As they were; locks are not settings, so ours stays and no old one comes back."""
    wanted = {one for one in old.traits if not one.startswith(LOCK_PREFIX)}
    locks = {one for one in found.traits if one.startswith(LOCK_PREFIX)}
    if wanted | locks == set(found.traits):
        return False
    for trait in sorted(one for one in wanted if one.startswith("CUSTOM_")):
        context.placement.create_trait(trait)
    context.placement.set_traits(found, wanted | locks)
    return True


def _aggregates(context: Context, old: Provider, found: Provider) -> bool:
    if set(found.aggregates) == set(old.aggregates):
        return False
    context.placement.set_aggregates(found, old.aggregates)
    return True
