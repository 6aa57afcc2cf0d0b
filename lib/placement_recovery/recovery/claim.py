"""The claim: the right to recover a provider, held as a trait on it.

A provider's generation is the only compare-and-set that Placement gives outsiders (>= 1.6): of several who put a trait
at the same generation, one succeeds. Nobody asks for this trait, so it has no effect on scheduling. It names the
recovery, and the run of it: each resume is a new run and takes the claim over from the one before, which notices.
"""

from __future__ import annotations

from typing import Set

from placement_recovery.errors import RecoveryUnderWay
from placement_recovery.model import CLAIM_PREFIX, Provider
from placement_recovery.record.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.edit import edit


def trait_of(journal: Journal) -> str:
    """The trait that is the claim of this run of a recovery."""
    return f"{_any_run(journal)}{journal.run.upper()}"


def take(context: Context, journal: Journal, provider_uuid: str, over: bool = False) -> str:
    """Put the claim on a provider, unless it is there; `over` takes it from an earlier run of the same recovery.

    Raises RecoveryUnderWay where another recovery, or without `over` another run, holds it.
    """

    def put(provider: Provider) -> bool:
        held = _held(journal, provider)
        if held == {trait_of(journal)}:
            return False
        if held and not over:
            raise _taken_over(journal, provider)
        context.placement.create_trait(trait_of(journal))
        context.placement.set_traits(provider, {*provider.traits, trait_of(journal)} - (held - {trait_of(journal)}))
        return True

    new = edit(context, provider_uuid, put)
    return f"provider {provider_uuid} is claimed" + ("" if new else " already")


def require(context: Context, journal: Journal, provider_uuid: str) -> Provider:
    """The provider as it is, while this run holds it. Raises RecoveryUnderWay where it does not."""
    provider = context.placement.describe(context.placement.show_provider(provider_uuid))
    if _held(journal, provider) != {trait_of(journal)}:
        raise _taken_over(journal, provider)
    return provider


def release(context: Context, journal: Journal, provider_uuid: str) -> None:
    """Take the recovery's claims from a provider, and forget them; one that is gone, or bears none, is fine."""

    def take_away(provider: Provider) -> bool:
        ours = {one for one in provider.traits if one.startswith(_any_run(journal))}
        if ours:
            context.placement.set_traits(provider, {*provider.traits} - ours)
        return bool(ours)

    if context.reader.provider(provider_uuid) is not None:
        edit(context, provider_uuid, take_away)
    for trait in context.placement.list_traits(_any_run(journal)):
        context.placement.delete_trait(trait)


def _any_run(journal: Journal) -> str:
    return f"{CLAIM_PREFIX}{journal.saved.id.upper()}_"


def _held(journal: Journal, provider: Provider) -> Set[str]:
    """This recovery's claims on a provider. Raises RecoveryUnderWay for another's."""
    others = [one for one in provider.claims if one != journal.saved.id]
    if others:
        raise RecoveryUnderWay(
            f"provider {provider.uuid} ({provider.name}) is claimed by recovery {others[0]}, which is under way or "
            f"died: 'st2 run placement_recovery.show_recoveries recovery_id={others[0]}' shows it"
        )
    return {one for one in provider.traits if one.startswith(_any_run(journal))}


def _taken_over(journal: Journal, provider: Provider) -> RecoveryUnderWay:
    return RecoveryUnderWay(
        f"provider {provider.uuid} does not bear the claim {trait_of(journal)} of this run of recovery "
        f"{journal.saved.id}: a later resume has taken it over, or somebody took the trait away. If nothing else is "
        f"under way, resume it"
    )
