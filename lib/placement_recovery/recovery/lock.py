"""The lock: the right to recover a provider, held as a trait on it.

A provider's generation is the only compare-and-set that Placement gives outsiders (>= 1.6): of several who put a trait
at the same generation, one succeeds. Nobody asks for this trait, so it has no effect on scheduling. It names the
recovery and its attempt: each resume is a new attempt and takes the lock over from the one before, which notices.
"""

from __future__ import annotations

import contextlib
from typing import Iterable, Set

from placement_recovery import commands
from placement_recovery.cloud.model import LOCK_PREFIX, Provider, recoveries_of_locks
from placement_recovery.errors import ApiNotFound, RecoveryUnderWay
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.update import update_traits


def lock_trait(journal: Journal) -> str:
    """The trait that is the lock of this attempt at a recovery."""
    return f"{_any_attempt(journal)}{journal.attempt.upper()}"


def take_lock(context: Context, journal: Journal, provider_uuid: str, over: bool = False) -> str:
    """Put the lock on a provider, unless it is there; `over` takes it from an earlier attempt at the same recovery.

    Raises RecoveryUnderWay where another recovery, or without `over` another attempt, holds it.
    """
    own = lock_trait(journal)

    def put(traits: Set[str]) -> Set[str]:
        held = _held(journal, provider_uuid, traits)
        if held - {own} and not over:
            raise _taken_over(journal, provider_uuid)
        lost = {one for one in traits if recoveries_of_locks([one]) == (journal.saved.takes_over,)}
        if held != {own}:
            context.placement.create_trait(own)
        return {*traits, own} - (held - {own}) - lost

    new = update_traits(context, provider_uuid, put)
    return f"provider {provider_uuid} is locked" + ("" if new else " already")


def require_lock(context: Context, journal: Journal, provider_uuid: str) -> None:
    """Raise RecoveryUnderWay unless this attempt holds the lock of a provider."""
    traits, generation = context.placement.traits_of(provider_uuid)
    check_lock(journal, Provider(provider_uuid, "", generation, traits=traits))


def check_lock(journal: Journal, provider: Provider) -> None:
    """The same of a provider whose traits were just read."""
    if _held(journal, provider.uuid, set(provider.traits)) != {lock_trait(journal)}:
        raise _taken_over(journal, provider.uuid)


def release_locks(context: Context, journal: Journal, provider_uuids: Iterable[str]) -> None:
    """Take the recovery's locks from providers, and delete their traits; one that is gone, or bears none, is fine."""
    lost = journal.saved.takes_over
    prefixes = (_any_attempt(journal), *((_prefix(lost),) if lost else ()))
    for uuid in provider_uuids:
        with contextlib.suppress(ApiNotFound):
            update_traits(context, uuid, lambda traits: {one for one in traits if not one.startswith(prefixes)})
    for trait in (one for prefix in prefixes for one in context.placement.list_traits(prefix)):
        context.placement.delete_trait(trait)


def _any_attempt(journal: Journal) -> str:
    return _prefix(journal.saved.id)


def _prefix(recovery_id: str) -> str:
    return f"{LOCK_PREFIX}{recovery_id.upper()}_"


def _held(journal: Journal, provider_uuid: str, traits: Set[str]) -> Set[str]:
    """This recovery's locks on a provider. Raises RecoveryUnderWay for another's."""
    others = [one for one in recoveries_of_locks(traits) if one not in (journal.saved.id, journal.saved.takes_over)]
    if others:
        raise RecoveryUnderWay(
            f"provider {provider_uuid} is locked by recovery {others[0]}, which is under way or died: "
            f"'{commands.show_recovery(others[0])}' shows it"
        )
    return {one for one in traits if one.startswith(_any_attempt(journal))}


def _taken_over(journal: Journal, provider_uuid: str) -> RecoveryUnderWay:
    return RecoveryUnderWay(
        f"provider {provider_uuid} does not bear the lock {lock_trait(journal)} of this attempt at recovery "
        f"{journal.saved.id}: a later resume has taken it over, or somebody took the trait away. If nothing else is "
        f"under way, try again"
    )
