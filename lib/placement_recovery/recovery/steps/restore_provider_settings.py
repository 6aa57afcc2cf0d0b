"""restore_provider_settings: bring back what others than nova-compute had set on the stale provider."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Dict, List

from placement_recovery.cloud.model import LOCK_PREFIX, Inventory, Provider
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock
from placement_recovery.recovery.new_provider import require_new_provider
from placement_recovery.recovery.update import update_with_retry


def restore_provider_settings(context: Context, journal: Journal) -> str:
    """Custom traits, aggregates, allocation ratios, reserved amounts and custom inventories; what is there stays.

    nova-compute keeps what it finds unless nova.conf says otherwise; then nova.conf wins at its next periodic.
    """
    old, new = journal.saved.stale, require_new_provider(context, journal)
    take_lock(context, journal, new.uuid)
    restored: List[str] = []
    for what, change in (("traits", _traits), ("aggregates", _aggregates), ("inventories", _inventories)):
        if update_with_retry(context, new.uuid, partial(change, context, old)):
            restored.append(what)
    if not restored:
        return f"provider {new.uuid} carries all that the stale one did"
    return f"provider {new.uuid} carries the stale one's {', '.join(restored)} again"


def _traits(context: Context, old: Provider, new: Provider) -> bool:
    custom = {one for one in old.traits if one.startswith("CUSTOM_") and not one.startswith(LOCK_PREFIX)}
    if custom <= set(new.traits):
        return False
    for trait in sorted(custom):
        context.placement.create_trait(trait)
    context.placement.set_traits(new, custom | set(new.traits))
    return True


def _aggregates(context: Context, old: Provider, new: Provider) -> bool:
    if set(old.aggregates) <= set(new.aggregates):
        return False
    context.placement.set_aggregates(new, {*old.aggregates, *new.aggregates})
    return True


def _inventories(context: Context, old: Provider, new: Provider) -> bool:
    wanted: Dict[str, Inventory] = {name: _merged(old, name, found) for name, found in new.inventories.items()}
    for name, inventory in old.inventories.items():
        if name.startswith("CUSTOM_") and name not in wanted:
            wanted[name] = inventory
    if wanted == dict(new.inventories):
        return False
    context.placement.set_inventories(new, wanted)
    return True


def _merged(old: Provider, name: str, found: Inventory) -> Inventory:
    was = old.inventories.get(name)
    if was is None:
        return found
    reserved = was.reserved if was.reserved <= found.total else found.reserved
    return replace(found, allocation_ratio=was.allocation_ratio, reserved=reserved)
