"""copy_provider_settings: the new root carries what the stale one carried, beside what nova-compute wrote meanwhile."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Set

from placement_recovery.cloud.model import ACCEPTED, LOCK_PREFIX, STATUS_DISABLED, Provider
from placement_recovery.errors import ApiRejected
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.methods import MOVE_ALLOCATIONS
from placement_recovery.recovery.replacement import look_at_replacement, require_new
from placement_recovery.recovery.update import update_settings

# Traits that nova-compute writes by itself from what its driver reports: that one is not there any more is its word.
NOVA_OWN = ("COMPUTE_", "HW_", "OWNER_NOVA")


def copy_provider_settings(context: Context, journal: Journal) -> str:
    """Traits, aggregates and inventories, each in union with what is there.

    The lock stays on the stale root alone: nova-compute keeps the traits of its own root in memory, and at the enabling
    of its service it may write back a lock that was released a moment ago.
    """
    seen = look_at_replacement(context, journal, with_stale=False)
    new = require_new(seen, journal.saved)
    aggregates = wanted_aggregates(context, journal.saved)
    copied = update_settings(
        context,
        new.uuid,
        {
            "traits": partial(_traits, context, journal),
            "aggregates": partial(_aggregates, context, aggregates),
            "inventories": partial(_inventories, context, journal),
        },
    )
    return f"provider {new.uuid} carries the stale one's settings" + (f" ({', '.join(copied)})" if copied else "")


def wanted_aggregates(context: Context, saved: Saved) -> Set[str]:
    """Those of Nova's follow its list of hosts; those that Nova does not know are the stale provider's."""
    known = context.nova.host_aggregates()
    mine = {one.uuid for one in known if saved.host in one.hosts}
    return (set(saved.stale.aggregates) - {one.uuid for one in known}) | mine


def carried_traits(old: Provider) -> Set[str]:
    """The stale root's traits that the new one bears too; what nova-compute and recoveries own is theirs to write."""
    return {one for one in old.traits if one not in (ACCEPTED, STATUS_DISABLED) and not one.startswith(LOCK_PREFIX)}


def _traits(context: Context, journal: Journal, new: Provider) -> int:
    carried = carried_traits(journal.saved.stale)
    if ACCEPTED in new.traits:
        carried = {one for one in carried if not one.startswith(NOVA_OWN)}
    else:
        carried.add(STATUS_DISABLED)
    wanted = {*new.traits, *carried}
    if wanted == set(new.traits):
        return new.generation
    try:
        return context.placement.set_traits(new, wanted)
    except ApiRejected:  # one that nobody bears any more may have been deleted
        for trait in sorted(one for one in wanted - set(new.traits) if one.startswith("CUSTOM_")):
            context.placement.create_trait(trait)
        return context.placement.set_traits(new, wanted)


def _aggregates(context: Context, wanted: Set[str], new: Provider) -> int:
    if wanted <= set(new.aggregates):
        return new.generation
    return context.placement.set_aggregates(new, wanted | set(new.aggregates))


def _inventories(context: Context, journal: Journal, new: Provider) -> int:
    """Absent classes as they were; of those that are there the stale ratio.

    A root that nova-compute made itself has its initial ratio. Once all is moved and accepted, what it wrote stays: it
    takes away the classes that the host does not report, and would do so again.
    """
    if ACCEPTED in new.traits and journal.progress.is_done(MOVE_ALLOCATIONS.name):
        return new.generation
    old = journal.saved.stale.inventories
    wanted = {**old}
    for name, found in new.inventories.items():
        was = old.get(name)
        wanted[name] = replace(found, allocation_ratio=was.allocation_ratio) if was else found
    if wanted == dict(new.inventories):
        return new.generation
    return context.placement.set_inventories(new, wanted)
