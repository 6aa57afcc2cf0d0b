"""The lock: the right to recover a provider, held as a trait on it.

A provider's generation is the only compare-and-set that Placement gives outsiders (>= 1.6): of several who put a trait
at the same generation, one succeeds. Nobody asks for this trait, so it has no effect on scheduling. It names the
recovery and its attempt: each resume is a new attempt and takes the lock over from the one before, which notices.
"""

from __future__ import annotations

from typing import Set

from placement_recovery import commands
from placement_recovery.cloud.model import LOCK_PREFIX, Provider
from placement_recovery.errors import RecoveryUnderWay
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.update import update_with_retry


def lock_trait(journal: Journal) -> str:
    """The trait that is the lock of this attempt at a recovery."""
    return f"{_any_attempt(journal)}{journal.attempt.upper()}"


def take_lock(context: Context, journal: Journal, provider_uuid: str, over: bool = False) -> str:
    """Put the lock on a provider, unless it is there; `over` takes it from an earlier attempt at the same recovery.

    Raises RecoveryUnderWay where another recovery, or without `over` another attempt, holds it.
    """

    def put(provider: Provider) -> bool:
        held = _held(journal, provider)
        if held == {lock_trait(journal)}:
            return False
        if held and not over:
            raise _taken_over(journal, provider)
        context.placement.create_trait(lock_trait(journal))
        context.placement.set_traits(provider, {*provider.traits, lock_trait(journal)} - (held - {lock_trait(journal)}))
        return True

    new = update_with_retry(context, provider_uuid, put)
    return f"provider {provider_uuid} is locked" + ("" if new else " already")


def require_lock(context: Context, journal: Journal, provider_uuid: str) -> Provider:
    """The provider as it is, while this attempt holds its lock. Raises RecoveryUnderWay where it does not."""
    provider = context.placement.describe(context.placement.show_provider(provider_uuid))
    if _held(journal, provider) != {lock_trait(journal)}:
        raise _taken_over(journal, provider)
    return provider


def release_lock(context: Context, journal: Journal, provider_uuid: str) -> None:
    """Take the recovery's locks from a provider, and delete their traits; one that is gone, or bears none, is fine."""

    def take_away(provider: Provider) -> bool:
        own = {one for one in provider.traits if one.startswith(_any_attempt(journal))}
        if own:
            context.placement.set_traits(provider, {*provider.traits} - own)
        return bool(own)

    if context.reader.provider(provider_uuid) is not None:
        update_with_retry(context, provider_uuid, take_away)
    for trait in context.placement.list_traits(_any_attempt(journal)):
        context.placement.delete_trait(trait)


def _any_attempt(journal: Journal) -> str:
    return f"{LOCK_PREFIX}{journal.saved.id.upper()}_"


def _held(journal: Journal, provider: Provider) -> Set[str]:
    """This recovery's locks on a provider. Raises RecoveryUnderWay for another's."""
    others = [one for one in provider.locked_by if one != journal.saved.id]
    if others:
        raise RecoveryUnderWay(
            f"provider {provider.uuid} ({provider.name}) is locked by recovery {others[0]}, which is under way or "
            f"died: '{commands.show_recovery(others[0])}' shows it"
        )
    return {one for one in provider.traits if one.startswith(_any_attempt(journal))}


def _taken_over(journal: Journal, provider: Provider) -> RecoveryUnderWay:
    return RecoveryUnderWay(
        f"provider {provider.uuid} does not bear the lock {lock_trait(journal)} of this attempt at recovery "
        f"{journal.saved.id}: a later resume has taken it over, or somebody took the trait away. If nothing else is "
        f"under way, resume it"
    )
