"""create_resource_provider: the new root under the compute node's UUID, right after the stale one is deleted.

nova-compute takes whatever root it finds under that UUID, so nobody waits for its periodic while servers are without
their allocations. It bears what was set on the stale root; where nova-compute was faster, that is added to its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Dict

from placement_recovery import commands
from placement_recovery.cloud.model import STATUS_DISABLED, Hypervisor, Inventory, Provider
from placement_recovery.cloud.placement import DUPLICATE_NAME
from placement_recovery.errors import ApiConflict, ProviderInUse, StepFailed
from placement_recovery.plan.method import DISCARD
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import find_new_provider, marked, require_new_provider
from placement_recovery.recovery.provider_settings import (
    add_aggregates,
    add_traits,
    carried_traits,
    set_by_others,
    set_first_settings,
    wanted_aggregates,
)
from placement_recovery.recovery.replacement import compute_node_now
from placement_recovery.recovery.update import update_settings


def create_resource_provider(context: Context, journal: Journal) -> str:
    """Create it, with traits, inventories and aggregates. Raises StepFailed where somebody else bears its name.

    It is not locked: nova-compute keeps the traits of its root in memory, and would create a lock again that is gone.
    Without a stale provider no other recovery of the host begins, and what is left to do may be done twice.
    """
    node = compute_node_now(context, journal.saved)
    seen = find_new_provider(context, journal)
    if seen.provider is not None and seen.provider.uuid != node.uuid:
        _make_way(context, journal, seen.provider, node)
    made = "" if seen.provider is not None and seen.provider.uuid == node.uuid else _create(context, journal, node)
    new = require_new_provider(context, journal)
    journal.map_provider(journal.saved.stale.uuid, new.uuid)
    restored = _restore_settings(context, journal, new)
    carries = f"carries the stale one's settings{f' ({restored})' if restored else ''}"
    return f"provider {new.uuid} of {journal.saved.node} {made or 'is there already'} and {carries}"


def _create(context: Context, journal: Journal, node: Hypervisor) -> str:
    saved = journal.saved
    journal.map_provider(saved.stale.uuid, node.uuid)
    new = Provider(node.uuid, saved.node, generation=0)
    try:
        context.placement.create_provider(new.uuid, new.name)
    except ApiConflict as error:
        if error.code != DUPLICATE_NAME:
            raise
        return "was made by nova-compute in this moment"
    set_first_settings(context, new, {STATUS_DISABLED, *carried_traits(saved.stale)}, marked(saved))
    return "is created"


def _make_way(context: Context, journal: Journal, former: Provider, node: Hypervisor) -> None:
    """The compute node got yet another UUID, so what was made for the one before is stale too: it loses the name.

    An empty one is deleted; of another, set_allocations takes all parts to the new one and deletes it then. Raises
    StepFailed where Nova still knows the former compute node, ProviderInUse where a discard finds allocations.
    """
    saved = journal.saved
    owner = context.nova.find_hypervisor(former.uuid)
    if owner is not None:
        raise StepFailed(
            f"nova knows compute node {former.uuid} (node {owner.node} of host {owner.host}), but lists {node.uuid} "
            f"for {saved.host} too: its provider is not touched. Resume when that is settled"
        )
    journal.replace_again(former.uuid, node.uuid)
    held = sorted(context.placement.consumers_of(former.uuid))
    if not held:
        context.placement.delete_provider(former.uuid)
    elif saved.method == DISCARD:
        raise ProviderInUse(
            f"provider {former.uuid}, which was made for a UUID that the compute node of {saved.host} has lost, is "
            f"held by consumer {', '.join(held[:5])}: see who made that allocation "
            f"('{commands.show_allocations(consumer=held[0])}'); when it is gone, resume"
        )
    else:
        number = len(journal.progress.providers) - 1
        context.placement.rename_provider(former.uuid, stale_name(saved.node, saved.id, number))


def _restore_settings(context: Context, journal: Journal, new: Provider) -> str:
    """Traits but for nova-compute's own, aggregates, ratios, reserved amounts and absent inventories; the rest stays.

    nova-compute keeps what it finds unless nova.conf says otherwise; then nova.conf wins at its next periodic.
    """
    old = journal.saved.stale
    aggregates = wanted_aggregates(context, journal.saved)
    changes = {
        "traits": partial(add_traits, context, set_by_others(old)),
        "aggregates": partial(add_aggregates, context, aggregates),
        "inventories": partial(_inventories, context, journal),
    }
    return ", ".join(update_settings(context, new.uuid, changes))


def _inventories(context: Context, journal: Journal, new: Provider) -> int:
    old = journal.saved.stale
    if new.inventories:  # nova-compute's own: the host may not offer more, but for what others set
        first = {name: one for name, one in old.inventories.items() if name.startswith("CUSTOM_")}
    else:
        first = marked(journal.saved)
    wanted: Dict[str, Inventory] = {
        **first, **{name: _merged(old, name, found) for name, found in new.inventories.items()}
    }
    if wanted == dict(new.inventories):
        return new.generation
    return context.placement.set_inventories(new, wanted)


def _merged(old: Provider, name: str, found: Inventory) -> Inventory:
    was = old.inventories.get(name)
    if was is None:
        return found
    reserved = was.reserved if was.reserved <= found.total else found.reserved
    return replace(found, allocation_ratio=was.allocation_ratio, reserved=reserved)
