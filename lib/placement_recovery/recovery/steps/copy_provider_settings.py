"""copy_provider_settings: the new root carries what the stale one carried, beside what nova-compute wrote meanwhile."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from placement_recovery.cloud.model import ACCEPTED, Provider
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.methods import MOVE_ALLOCATIONS
from placement_recovery.recovery.provider_settings import add_aggregates, add_carried_traits, wanted_aggregates
from placement_recovery.recovery.replacement import look_at_replacement, require_new
from placement_recovery.recovery.update import update_settings


def copy_provider_settings(context: Context, journal: Journal) -> str:
    """Traits, aggregates and inventories, each in union with what is there.

    The lock stays on the stale root alone; see lock_provider.
    """
    seen = look_at_replacement(context, journal, with_stale=False)
    new = require_new(seen, journal.saved)
    aggregates = wanted_aggregates(context, journal.saved)
    copied = update_settings(
        context,
        new.uuid,
        {
            "traits": partial(add_carried_traits, context, journal.saved.stale),
            "aggregates": partial(add_aggregates, context, aggregates),
            "inventories": partial(_inventories, context, journal),
        },
    )
    return f"provider {new.uuid} carries the stale one's settings" + (f" ({', '.join(copied)})" if copied else "")


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
