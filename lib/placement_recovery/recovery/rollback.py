"""Take a recovery back: the stale provider as it was, and every saved allocation on it.

That is possible until nova-compute has made its new provider, for the name can only exist once; from then on the way is
forward. What can be taken back at which step stands in docs/safety.md.
"""

from __future__ import annotations

from placement_recovery.errors import ApiConflict, StepFailed, VerificationFailed
from placement_recovery.model import CLAIM_PREFIX, Provider
from placement_recovery.placement import DUPLICATE_NAME
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import Saved
from placement_recovery.recovery import claim
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.edit import edit
from placement_recovery.recovery.owners import SET
from placement_recovery.recovery.restore import Giving, give


def restore_provider(context: Context, journal: Journal) -> str:
    """The stale provider with its UUID, name, inventories, traits and aggregates. Raises StepFailed if it is late."""
    saved = journal.saved
    journal.take_over()
    stands = context.reader.provider(saved.stale.uuid) is not None
    if not stands:
        _create(context, saved)
    journal.turn_back()
    claim.take(context, journal, saved.stale.uuid, over=True)
    edit(context, saved.stale.uuid, lambda found: _inventories(context, saved.stale, found))
    edit(context, saved.stale.uuid, lambda found: _traits(context, saved.stale, found))
    edit(context, saved.stale.uuid, lambda found: _aggregates(context, saved.stale, found))
    return f"provider {saved.stale.uuid} ({saved.stale.name}) {'stands' if stands else 'is back'} as it was saved"


def return_allocations(context: Context, journal: Journal) -> str:
    """All saved consumers hold the stale provider as they did, unless Nova shows that their owners changed it."""
    saved = journal.saved
    claim.require(context, journal, saved.stale.uuid)
    provider = context.placement.describe(context.placement.show_provider(saved.stale.uuid))
    giving = Giving(context, journal, provider, saved.consumers)
    told = give(giving)
    _check(giving)
    return told


def _create(context: Context, saved: Saved) -> None:
    named = context.reader.provider_named(saved.stale.name)
    if named is None:
        try:
            return context.placement.create_provider(saved.stale.uuid, saved.stale.name)
        except ApiConflict as error:
            if error.code != DUPLICATE_NAME:
                raise
    raise StepFailed(
        f"nova-compute of {saved.host} has made its new provider {saved.stale.name} already, so the stale one cannot "
        f"come back. Nothing was changed; finish forward: 'st2 run placement_recovery.resume_recovery recovery_id="
        f"{saved.id}'"
    )


def _inventories(context: Context, old: Provider, found: Provider) -> bool:
    if found.inventories == old.inventories:
        return False
    context.placement.set_inventories(found, old.inventories)
    return True


def _traits(context: Context, old: Provider, found: Provider) -> bool:
    """As they were; claims are no settings, so ours stays and no old one comes back."""
    wanted = {one for one in old.traits if not one.startswith(CLAIM_PREFIX)}
    claims = {one for one in found.traits if one.startswith(CLAIM_PREFIX)}
    if wanted | claims == set(found.traits):
        return False
    for trait in sorted(one for one in wanted if one.startswith("CUSTOM_")):
        context.placement.create_trait(trait)
    context.placement.set_traits(found, wanted | claims)
    return True


def _aggregates(context: Context, old: Provider, found: Provider) -> bool:
    if set(found.aggregates) == set(old.aggregates):
        return False
    context.placement.set_aggregates(found, old.aggregates)
    return True


def _check(giving: Giving) -> None:
    verdicts = giving.verdicts()
    held = giving.context.placement.consumers_of(giving.provider.uuid)
    wrong = [
        one.consumer.uuid
        for one in giving.entries
        if verdicts[one.consumer.uuid].what == SET and held.get(one.consumer.uuid) != dict(giving.part(one))
    ]
    if wrong:
        raise VerificationFailed(
            f"{len(wrong)} consumer(s) do not hold provider {giving.provider.uuid} as they were saved: "
            f"{', '.join(wrong[:5])}. Roll back again, or look at each"
        )
