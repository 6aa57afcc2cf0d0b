"""The judgement on what a recovery did to a world, by Placement's and Nova's state alone."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from placement_recovery.plan.method import DISCARD, TRANSPLANT
from placement_recovery.records.record import FINISHED, OPEN, Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.service import servers_left_reason
from testkit.api import Unexpected
from testkit.chaos.world import OWN_TRAIT, World
from testkit.looks import enabled, lock_traits
from testkit.placement import Resources

Found = Tuple[Tuple[str, Any, Any], ...]


def problems(world: World, context: Context, recovery_id: str) -> List[str]:
    """All that is not as it ought to be, now that the recovery has ended; empty where nothing was lost."""
    journal = context.journal(recovery_id)
    state = journal.progress.state
    if state == OPEN:
        return ["the recovery is still open"]
    provider = world.stale.compute_uuid if state == FINISHED else world.stale.stale_uuid
    held = world.kept if state == FINISHED else {**world.kept, **world.leftovers}
    found = [*_provider(world, provider, held), ("the lock", lock_traits(world.cloud, recovery_id), [])]
    found.append(("the service", world.cloud.service(world.stale.host), _service(world, journal.saved, state, held)))
    if journal.saved.method == TRANSPLANT:
        found += [*_settings(world, provider), *_roots(world, provider)]
    told = [f"{state}: {what} is {seen}, not {wanted}" for what, seen, wanted in found if seen != wanted]
    return told + _consumer_problems(world, provider, held) + world.without_allocation


def check(world: World, context: Context, recovery_id: str) -> None:
    """Raise AssertionError with all problems, unabridged."""
    found = problems(world, context, recovery_id)
    if found:
        raise AssertionError("; ".join(found))


def _provider(world: World, provider: str, held: Dict[str, Resources]) -> Found:
    cloud, stale = world.cloud, world.stale
    licences = cloud.inventories(provider).get("CUSTOM_CHAOS_LICENCE", {}).get("total")
    return (
        ("the provider of the name", cloud.find_provider(stale.node), provider),
        ("what is allocated on it", cloud.provider_allocations(provider), held),
        ("what is allocated on the other host", cloud.provider_allocations(world.other.uuid), _on_other(world)),
        ("the operator's trait", OWN_TRAIT in cloud.traits(provider), True),
        ("the licences", licences, 50),
    )


def _service(world: World, saved: Saved, state: str, held: Mapping[str, Resources]) -> Dict[str, Any]:
    """Enabled as before, unless servers run on the host without allocations after a discard."""
    listed = world.cloud.nova.get(f"/servers/detail?all_tenants=1&host={world.stale.host}")["servers"]
    bare = [one["id"] for one in listed if one["id"] not in held]
    if saved.method != DISCARD or state != FINISHED or not bare:
        return enabled()
    return {**enabled(), "disabled": True, "disabled_reason": servers_left_reason(saved.id)}


def _on_other(world: World) -> Dict[str, Resources]:
    uuid = world.other.uuid
    return {consumer: parts[uuid] for consumer, parts in world.elsewhere.items() if uuid in parts}


def _settings(world: World, provider: str) -> Found:
    """All of them as they were; nova-compute's own mark that the service is disabled comes and goes."""
    cloud, before = world.cloud, world.settings
    traits = cloud.traits(provider) - {"COMPUTE_STATUS_DISABLED"}
    return (
        (f"the inventories of {provider}", cloud.inventories(provider), before["inventories"]),
        (f"the aggregates of {provider}", cloud.aggregates(provider), before["aggregates"]),
        (f"the traits of {provider}", traits, before["traits"]),
    )


def _roots(world: World, provider: str) -> Found:
    """The other root is gone, nothing bears a name that a recovery gave, and the child is below the right root."""
    both = {world.stale.compute_uuid, world.stale.stale_uuid}
    standing = {uuid for uuid in both if world.cloud.show_provider(uuid) is not None}
    listed = world.cloud.placement.get("/resource_providers")["resource_providers"]
    aside = [one["name"] for one in listed if one["name"].startswith(f"{world.stale.node}.")]
    child = world.cloud.show_provider(world.child) if world.child else {"parent_provider_uuid": provider}
    return (
        ("the roots", standing, {provider}),
        ("what is set aside", aside, []),
        ("the child's parent", child and child["parent_provider_uuid"], provider),
    )


def _consumer_problems(world: World, provider: str, held: Dict[str, Resources]) -> List[str]:
    found = []
    for consumer in sorted({*world.kept, *world.leftovers, *world.elsewhere, *world.gone}):
        part = {provider: dict(held[consumer])} if consumer in held else {}
        wanted = {**{uuid: dict(one) for uuid, one in world.elsewhere.get(consumer, {}).items()}, **part}
        seen = world.cloud.allocations(consumer)
        if seen != wanted:
            found.append(f"consumer {consumer} holds {seen}, not {wanted}")
    return found


def look_for_gaps(world: World) -> None:
    """Between two requests of a transplant: everybody who is to be kept holds the stale root, or the new one.

    What is held of the host's child stays all the time.
    """
    if world.rewritten:
        return  # by others
    held = {**_held_of(world, world.stale.stale_uuid), **_held_of(world, world.stale.compute_uuid)}
    for consumer, wanted in list(world.kept.items()):
        if held.get(consumer) != wanted:
            seen = held.get(consumer)
            world.without_allocation.append(f"consumer {consumer} held {seen} during the recovery, not {dict(wanted)}")
    below = _held_of(world, world.child) if world.child else {}
    for consumer, parts in list(world.elsewhere.items()):
        if world.child in parts and consumer not in below:
            world.without_allocation.append(f"consumer {consumer} did not hold the child during the recovery")


def _held_of(world: World, provider: str) -> Dict[str, Resources]:
    try:
        return world.cloud.provider_allocations(provider)
    except Unexpected as error:
        if error.status != 404:
            raise
        return {}
