"""create_resource_provider: the new root under the compute node's UUID, right after the stale one is deleted.

nova-compute takes whatever root it finds under that UUID, so servers are not without their allocations until its
next periodic. It bears what was set on the stale root; where nova-compute was faster, that is added to its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Dict

from placement_recovery import commands
from placement_recovery.cloud.model import Hypervisor, Inventory, Provider
from placement_recovery.cloud.placement import DUPLICATE_NAME
from placement_recovery.errors import ApiConflict, StepFailed
from placement_recovery.plan.method import DISCARD
from placement_recovery.plan.stale_name import recovery_of_stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.former_roots import delete_former_roots, former_roots, set_aside
from placement_recovery.recovery.new_provider import find_new_provider, marked, require_new_provider
from placement_recovery.recovery.provider_settings import (
    add_aggregates,
    add_carried_traits,
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
    saved = journal.saved
    node = compute_node_now(context, saved)
    if node.uuid == saved.stale.uuid:
        raise StepFailed(
            f"the compute node of {saved.host} has UUID {node.uuid} again, that of the provider that was deleted: it "
            f"comes back by '{commands.roll_back(saved.id)}'"
        )
    found = find_new_provider(context, journal).provider
    if found is not None and found.uuid != node.uuid:
        set_aside(context, journal, found, node.uuid)
        found = None
    journal.map_provider(saved.stale.uuid, node.uuid)
    made = _create(context, journal, node) if found is None else "is there already"
    new = require_new_provider(context, journal)
    restored = _restore_settings(context, journal, new)
    if saved.method == DISCARD:  # which sets nothing afterwards
        delete_former_roots(context, former_roots(context, journal, new.uuid))
    carries = f"carries the stale one's settings{f' ({restored})' if restored else ''}"
    return f"provider {new.uuid} of {saved.node} {made} and {carries}"


def _create(context: Context, journal: Journal, node: Hypervisor) -> str:
    saved, new = journal.saved, Provider(node.uuid, journal.saved.node, generation=0)
    try:
        context.placement.create_provider(new.uuid, new.name)
    except ApiConflict as error:
        if error.code != DUPLICATE_NAME:
            raise
        stands = context.reader.provider(new.uuid)
        if stands is None or recovery_of_stale_name(stands.name) != saved.id:
            return "was made by nova-compute in this moment"
        context.placement.rename_provider(new.uuid, new.name)
        return "has its name again, as the compute node its UUID,"
    set_first_settings(context, saved.stale, new, marked(saved))
    return "is created"


def _restore_settings(context: Context, journal: Journal, new: Provider) -> str:
    """Traits, aggregates, ratios, reserved amounts and absent inventories; the rest stays.

    nova-compute keeps what it finds unless nova.conf says otherwise; then nova.conf wins at its next periodic.
    """
    old = journal.saved.stale
    aggregates = wanted_aggregates(context, journal.saved)
    changes = {
        "traits": partial(add_carried_traits, context, old),
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
