"""restore_provider_settings: bring back what others than nova-compute had set on the stale provider."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Dict

from placement_recovery.cloud.model import Inventory, Provider
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock
from placement_recovery.recovery.new_provider import require_new_provider
from placement_recovery.recovery.provider_settings import (
    add_aggregates,
    add_traits,
    set_by_others,
    wanted_aggregates,
)
from placement_recovery.recovery.update import update_settings


def restore_provider_settings(context: Context, journal: Journal) -> str:
    """Traits but for nova-compute's own, aggregates, ratios, reserved amounts and custom inventories; the rest stays.

    nova-compute keeps what it finds unless nova.conf says otherwise; then nova.conf wins at its next periodic.
    """
    old, new = journal.saved.stale, require_new_provider(context, journal)
    take_lock(context, journal, new.uuid)
    aggregates = wanted_aggregates(context, journal.saved)
    restored = update_settings(
        context,
        new.uuid,
        {
            "traits": partial(add_traits, context, set_by_others(old)),
            "aggregates": partial(add_aggregates, context, aggregates),
            "inventories": partial(_inventories, context, old),
        },
    )
    if not restored:
        return f"provider {new.uuid} carries all that was set on the stale one"
    return f"provider {new.uuid} carries the stale one's {', '.join(restored)} again"


def _inventories(context: Context, old: Provider, new: Provider) -> int:
    wanted: Dict[str, Inventory] = {name: _merged(old, name, found) for name, found in new.inventories.items()}
    for name, inventory in old.inventories.items():
        if name.startswith("CUSTOM_") and name not in wanted:
            wanted[name] = inventory
    if wanted == dict(new.inventories):
        return new.generation
    return context.placement.set_inventories(new, wanted)


def _merged(old: Provider, name: str, found: Inventory) -> Inventory:
    was = old.inventories.get(name)
    if was is None:
        return found
    reserved = was.reserved if was.reserved <= found.total else found.reserved
    return replace(found, allocation_ratio=was.allocation_ratio, reserved=reserved)
