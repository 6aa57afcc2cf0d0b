"""Let nova-compute make its children anew where it looked at its root before they were below it.

Such a nova-compute wants to create its children, and their names are taken, so it fails at each periodic until it
refreshes its cache. Instead of waiting for that, a child is set aside under another name and without a parent, in one
write; nova-compute makes its own at its next periodic, and what the former one held is moved there. No provider is
deleted that nova-compute may have in its tree. The children's UUIDs change, which PCI's and Neutron's bindings
remember, so this is done only where a person approves it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Tuple

from placement_recovery import commands
from placement_recovery.cloud.model import Consumer, Provider
from placement_recovery.errors import (
    ApiConflict,
    ApiUnavailable,
    ApiUnreachable,
    ConsumerChanged,
    InvalidInput,
    StepFailed,
)
from placement_recovery.plan.plan import LEAST_DIGEST, matches_digest
from placement_recovery.plan.report import SHOWN_DIGEST
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import BACK
from placement_recovery.recovery.acceptance import is_accepted
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import require_lock
from placement_recovery.recovery.methods import MOVE_ALLOCATIONS
from placement_recovery.recovery.provider_settings import add_traits, set_by_others
from placement_recovery.recovery.replacement import Replacement, look_at_replacement, require_new
from placement_recovery.recovery.update import CONFLICT_TRIES, retry_on_conflict, update_settings, write_consumers

POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Remaking:
    """What was done, or what would be: the children, the digest that approves it, and whether it was approved."""

    summary: str
    children: Tuple[Provider, ...]
    digest: str
    done: bool


def remake_children(context: Context, journal: Journal, approve: str = "") -> Remaking:
    """Show which children would be made anew, or with the digest of that let nova-compute make them.

    Raises InvalidInput and StepFailed where there is nothing to do or not the time for it.
    """
    if not journal.is_open or journal.progress.direction == BACK:
        raise StepFailed(f"recovery {journal.saved.id} is not under way forward, so no children are made anew")
    seen = look_at_replacement(context, journal)
    new = require_new(seen, journal.saved)
    children = _candidates(context, journal, seen, new)
    digest = _digest(journal, children)
    listed = ", ".join(one.label for one in children)
    if not matches_digest(approve, digest):
        what = "the digest is not that of these children" if len(approve.strip()) >= LEAST_DIGEST else "not approved"
        return Remaking(
            f"{what}: nova-compute would make {listed} of {journal.saved.host} anew, under other UUIDs. PCI's and "
            f"Neutron's bindings remember the former ones. It is not needed if you can wait until nova-compute "
            f"refreshes its cache (resource_provider_association_refresh, 300 s by default)",
            children, digest[:SHOWN_DIGEST], done=False,
        )
    try:
        return Remaking(_remake(context, journal, new, children), children, digest[:SHOWN_DIGEST], done=True)
    except (ApiUnreachable, ApiUnavailable):
        journal.may_come_late()
        raise


def settle_remade(context: Context, journal: Journal, new: Provider) -> List[str]:
    """Bring each child that was set aside to its end: onto nova-compute's own one, or back below the root.

    Returns the names of those that nova-compute made. A look and no write where none is set aside.
    """
    made = []
    children = {one.uuid: one for one in journal.saved.children}
    for uuid, moved_to in journal.progress.remade.items():
        if moved_to:
            context.placement.delete_provider(uuid)  # a kill may have come before it
            continue
        own = _own(context, children[uuid], new)
        if own is not None:
            _move_to(context, journal, children[uuid], own)
            made.append(children[uuid].name)
        else:
            _put_back(context, journal, children[uuid], new)
    return made


def _candidates(context: Context, journal: Journal, seen: Replacement, new: Provider) -> Tuple[Provider, ...]:
    saved = journal.saved
    if not journal.progress.is_done(MOVE_ALLOCATIONS.name):
        raise StepFailed(
            f"recovery {saved.id} has not moved its allocations yet; resume it first: '{commands.resume(saved.id)}'"
        )
    if is_accepted(context, new.uuid):
        raise StepFailed(
            f"nova-compute on {saved.host} has accepted its provider {new.uuid}, so its children are not made anew; go "
            f"on with '{commands.resume(saved.id)}'"
        )
    parents = {one.parent_uuid for one in seen.children}
    found = [one for one in seen.directly_below([new.uuid]) if one.name.startswith(f"{saved.node}_")]
    chosen = tuple(one for one in found if one.uuid in saved.stale_uuids and one.uuid not in parents)
    if not chosen:
        raise InvalidInput(f"{saved.host} has no children that nova-compute makes and that have none below them")
    return chosen


def _digest(journal: Journal, children: Tuple[Provider, ...]) -> str:
    text = " ".join([journal.saved.id, *sorted(one.uuid for one in children)])
    return hashlib.sha256(text.encode()).hexdigest()


def _remake(context: Context, journal: Journal, new: Provider, children: Tuple[Provider, ...]) -> str:
    require_lock(context, journal, journal.saved.stale.uuid)
    for child in children:
        journal.remake(child.uuid)
        context.placement.reparent_provider(child, None, name=stale_name(child.name, journal.saved.id))
    end = context.clock.seconds() + context.config.acceptance_wait
    while context.clock.seconds() < end and not all(_own(context, one, new) for one in children):
        context.clock.sleep(POLL_SECONDS)
    made = settle_remade(context, journal, new)
    back = [one.name for one in children if one.name not in made]
    return "; ".join(
        filter(None, (
            f"nova-compute on {journal.saved.host} has made {', '.join(made) or 'none of its children'} anew",
            f"{', '.join(back)} is back below the root, for nova-compute did not make it within "
            f"{context.config.acceptance_wait} s" if back else "",
            f"go on with '{commands.resume(journal.saved.id)}'",
        ))
    )


def _own(context: Context, child: Provider, new: Provider) -> Optional[Provider]:
    """nova-compute's own child of that name, once it offers what it has."""
    found = context.reader.find_provider_by_name(child.name)
    if found is None or found.uuid == child.uuid or found.root_uuid != new.uuid:
        return None
    return found if context.placement.inventories_of(found.uuid)[0] else None


def _put_back(context: Context, journal: Journal, child: Provider, new: Provider) -> None:
    context.placement.reparent_provider(child, new.uuid)
    journal.keep_child(child.uuid)


def _move_to(context: Context, journal: Journal, child: Provider, own: Provider) -> None:
    """All that the former child held, and what others set on it, goes to nova-compute's own; then it is deleted."""
    traits = set_by_others(child)
    update_settings(context, own.uuid, {"traits": lambda found: add_traits(context, traits, found)})

    def exhausted(last: ApiConflict) -> ConsumerChanged:
        return ConsumerChanged(f"consumers of child {child.label} change all the time; resume. Last: {last}")

    for _ in range(CONFLICT_TRIES):
        if not retry_on_conflict(context, lambda: _move_holders(context, child.uuid, own.uuid), exhausted):
            break
    journal.remake(child.uuid, own.uuid)
    context.placement.delete_provider(child.uuid)


def _move_holders(context: Context, child: str, own: str) -> int:
    """Move who holds the child now; how many that were."""
    holders = context.reader.show_consumers(context.placement.parts_on(child))
    for one in holders:
        write_consumers(context, [_moved(one, child, own)])
    return len(holders)


def _moved(consumer: Consumer, child: str, own: str) -> Consumer:
    parts: Dict[str, Dict[str, int]] = consumer.without((child,))
    if child in consumer.allocations:
        parts[own] = dict(consumer.allocations[child])
    return replace(consumer, allocations=parts)
