"""What somebody else than nova-compute has set on the stale provider, and how its new provider bears it too."""

from __future__ import annotations

from typing import Mapping, Set

from placement_recovery.cloud.model import ACCEPTED, LOCK_PREFIX, STATUS_DISABLED, Inventory, Provider
from placement_recovery.errors import ApiConflict, ApiRejected
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context

# Traits that nova-compute writes by itself from what its driver reports: that one is not there any more is its word.
NOVA_OWN = ("COMPUTE_", "HW_", "OWNER_NOVA")


def carried_traits(old: Provider) -> Set[str]:
    """The stale root's traits that the new one bears too; what nova-compute and recoveries own is theirs to write."""
    return {one for one in old.traits if one not in (ACCEPTED, STATUS_DISABLED) and not one.startswith(LOCK_PREFIX)}


def set_by_others(old: Provider) -> Set[str]:
    """Those of them that nova-compute does not write by itself."""
    return {one for one in carried_traits(old) if not one.startswith(NOVA_OWN)}


def add_carried_traits(context: Context, old: Provider, new: Provider) -> int:
    """The stale root's traits; of an accepted root those of nova-compute's own kinds are its own to write."""
    carried = set_by_others(old) if ACCEPTED in new.traits else {*carried_traits(old), STATUS_DISABLED}
    return add_traits(context, carried, new)


def set_first_settings(
    context: Context, old: Provider, new: Provider, inventories: Mapping[str, Inventory]
) -> None:
    """The stale root's traits, and inventories, for one that was just created: it has generation 0, so without a look.

    Where nova-compute wrote first nothing is written; what a step adds later is in union with what is there.
    """
    try:
        generation = _set_first_traits(context, new, {STATUS_DISABLED, *carried_traits(old)})
        if inventories:
            context.placement.set_inventories(Provider(new.uuid, new.name, generation), inventories)
    except ApiConflict:
        return


def _set_first_traits(context: Context, new: Provider, traits: Set[str]) -> int:
    try:
        return context.placement.set_traits(new, traits)
    except ApiRejected:  # somebody took a trait away and deleted it; it is created again later
        return context.placement.set_traits(new, {STATUS_DISABLED})


def wanted_aggregates(context: Context, saved: Saved) -> Set[str]:
    """Those of Nova's follow its list of hosts; those that Nova does not know are the stale provider's."""
    known = context.nova.host_aggregates()
    mine = {one.uuid for one in known if saved.host in one.hosts}
    return (set(saved.stale.aggregates) - {one.uuid for one in known}) | mine


def add_traits(context: Context, traits: Set[str], new: Provider) -> int:
    """Set them beside what the provider bears. Returns its generation then; so does `add_aggregates`."""
    wanted = {*new.traits, *traits}
    if wanted == set(new.traits):
        return new.generation
    try:
        return context.placement.set_traits(new, wanted)
    except ApiRejected:  # one that nobody bears any more may have been deleted
        for trait in sorted(one for one in wanted - set(new.traits) if one.startswith("CUSTOM_")):
            context.placement.create_trait(trait)
        return context.placement.set_traits(new, wanted)


def add_aggregates(context: Context, wanted: Set[str], new: Provider) -> int:
    """The same for aggregates."""
    if wanted <= set(new.aggregates):
        return new.generation
    return context.placement.set_aggregates(new, wanted | set(new.aggregates))
