"""The claim: the right to recover a provider, held as a trait on it.

A provider's generation is the only compare-and-set that Placement gives outsiders (>= 1.6): of several who put a trait
at the same generation, one succeeds. Nobody asks for this trait, so it has no effect on scheduling.
"""

from __future__ import annotations

from placement_recovery.errors import RecoveryUnderWay, StepFailed
from placement_recovery.model import CLAIM_PREFIX, Provider
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.edit import edit


def trait_of(recovery_id: str) -> str:
    """The trait that is this recovery's claim."""
    return f"{CLAIM_PREFIX}{recovery_id.upper()}"


def take(context: Context, recovery_id: str, provider_uuid: str) -> str:
    """Put the claim on a provider, unless it is there. Raises RecoveryUnderWay where another recovery holds it."""

    def put(provider: Provider) -> bool:
        _check_others(recovery_id, provider)
        if recovery_id in provider.claims:
            return False
        context.placement.create_trait(trait_of(recovery_id))
        context.placement.set_traits(provider, {*provider.traits, trait_of(recovery_id)})
        return True

    new = edit(context, provider_uuid, put)
    return f"provider {provider_uuid} is claimed" + ("" if new else " already")


def require(context: Context, recovery_id: str, provider_uuid: str) -> Provider:
    """The provider as it is, while this recovery holds it. Raises RecoveryUnderWay, StepFailed."""
    provider = context.placement.describe(context.placement.show_provider(provider_uuid))
    _check_others(recovery_id, provider)
    if recovery_id not in provider.claims:
        raise StepFailed(
            f"provider {provider_uuid} does not bear the claim of recovery {recovery_id}: somebody took the trait "
            f"{trait_of(recovery_id)} away. Resume the recovery to claim it again"
        )
    return provider


def release(context: Context, recovery_id: str, provider_uuid: str) -> None:
    """Take the claim from a provider; one that is gone, or bears none, is fine."""

    def take_away(provider: Provider) -> bool:
        if recovery_id not in provider.claims:
            return False
        context.placement.set_traits(provider, {*provider.traits} - {trait_of(recovery_id)})
        return True

    if context.reader.provider(provider_uuid) is not None:
        edit(context, provider_uuid, take_away)
    context.placement.delete_trait(trait_of(recovery_id))


def _check_others(recovery_id: str, provider: Provider) -> None:
    others = [one for one in provider.claims if one != recovery_id]
    if others:
        raise RecoveryUnderWay(
            f"provider {provider.uuid} ({provider.name}) is claimed by recovery {others[0]}, which is under way or "
            f"died: 'st2 run placement_recovery.show_recoveries recovery_id={others[0]}' shows it"
        )
