"""Write where others write too: look again and repeat as long as a write meets a conflict."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Set, Tuple, TypeVar

from placement_recovery.cloud.model import Consumer, Provider
from placement_recovery.cloud.placement import CONCURRENT_UPDATE
from placement_recovery.errors import ApiConflict, PlacementRecoveryError, StepFailed
from placement_recovery.recovery.context import Context

Written = TypeVar("Written")

# How often a write is tried at the generations of a fresh look before other writers are too many.
CONFLICT_TRIES = 8


def retry_on_conflict(
    context: Context, write: Callable[[], Written], exhausted: Callable[[ApiConflict], PlacementRecoveryError]
) -> Written:
    """What `write` returns. It looks, decides and writes; it is called again where its write met a concurrent update.

    Raises what `exhausted` makes of the last conflict after CONFLICT_TRIES, and any other conflict at once.
    """
    for _ in range(CONFLICT_TRIES):
        try:
            return write()
        except ApiConflict as error:
            if error.code != CONCURRENT_UPDATE:
                raise
            last = error
            context.clock.sleep(random.uniform(0.05, 0.4))  # noqa: S311 - jitter, not a secret
    raise exhausted(last) from last


def write_consumers(context: Context, batch: List[Consumer]) -> None:
    """One transaction. Raises ApiConflict.

    Who was written once to a provider that did not exist, as heal_allocations does on a host with this fault, holds
    nothing but has a generation, 0, which no look shows.
    """
    try:
        context.placement.set_consumers(batch)
    except ApiConflict as error:
        if error.code != CONCURRENT_UPDATE or batch[0].generation is not None:
            raise
        context.placement.set_consumers([replace(one, generation=0) for one in batch])


def update_with_retry(context: Context, provider_uuid: str, change: Callable[[Provider], bool]) -> bool:
    """Call `change` with what the provider carries, again with a newer look as long as its write meets a conflict.

    nova-compute writes to the provider too, so the look before each attempt decides anew. Returns what `change`
    returns: whether it wrote. Raises StepFailed after CONFLICT_TRIES.
    """

    def write() -> bool:
        return change(context.placement.describe(Provider(provider_uuid, "", generation=0)))

    return retry_on_conflict(context, write, _exhausted(provider_uuid))


def update_settings(
    context: Context, provider_uuid: str, changes: Mapping[str, Callable[[Provider], int]]
) -> Tuple[str, ...]:
    """The same for several changes: one look serves all, for each write tells the generation of the next.

    A change returns the provider's generation after it. Returns the names of those that wrote, in whichever look.
    """
    wrote: Dict[str, None] = {}

    def change_all(found: Provider) -> bool:
        for what, change in changes.items():
            generation = change(found)
            if generation != found.generation:
                found = replace(found, generation=generation)
                wrote[what] = None
        return bool(wrote)

    update_with_retry(context, provider_uuid, change_all)
    return tuple(wrote)


def update_traits(context: Context, provider_uuid: str, change: Callable[[Set[str]], Set[str]]) -> bool:
    """The same for traits alone, with one request per look: write what `change` makes of them, if it differs."""

    def write() -> bool:
        traits, generation = context.placement.traits_of(provider_uuid)
        wanted = change(set(traits))
        if wanted == set(traits):
            return False
        context.placement.set_traits(Provider(provider_uuid, "", generation), wanted)
        return True

    return retry_on_conflict(context, write, _exhausted(provider_uuid))


def _exhausted(provider_uuid: str) -> Callable[[ApiConflict], StepFailed]:
    def error(last: ApiConflict) -> StepFailed:
        return StepFailed(
            f"provider {provider_uuid} could not be changed in {CONFLICT_TRIES} tries; see what else writes to it, "
            f"then try again. Last: {last}"
        )

    return error
