"""Let nova-compute recreate its children where it looked at its root before they were below it.

Such a nova-compute tries to create its children, whose names are taken, and fails at each periodic until it refreshes
its cache. Instead of waiting for that, a child gets another name and no parent, in one write; nova-compute creates its
own at its next periodic, and what the former one holds is moved there. Nothing is deleted that nova-compute may have
in its tree. The children's UUIDs change, which PCI's and Neutron's bindings remember, so a person has to approve it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import List, Optional, Set, Tuple

from placement_recovery import commands
from placement_recovery.cloud.model import Provider
from placement_recovery.cloud.placement import CONCURRENT_UPDATE, DUPLICATE_NAME
from placement_recovery.errors import (
    ApiConflict,
    ApiUnavailable,
    ApiUnreachable,
    CapacityExceeded,
    ConsumerChanged,
    InvalidInput,
    ProviderNotReady,
    StepFailed,
)
from placement_recovery.plan.plan import LEAST_DIGEST, matches_digest
from placement_recovery.plan.report import SHOWN_DIGEST
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import BACK
from placement_recovery.recovery.acceptance import is_accepted
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock
from placement_recovery.recovery.methods import MOVE_ALLOCATIONS
from placement_recovery.recovery.moving import in_batches
from placement_recovery.recovery.provider_settings import add_aggregates, add_traits, set_by_others
from placement_recovery.recovery.replacement import (
    Replacement,
    children_outside,
    is_nova_child,
    look_at_replacement,
    parent_below,
    require_new,
)
from placement_recovery.recovery.update import CONFLICT_TRIES, retry_on_conflict, update_settings, write_consumers

STEP = "recreate_children"
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Recreation:
    """What was done, or what would be: the children, the digest that approves it, and whether it was approved."""

    summary: str
    children: Tuple[Provider, ...]
    digest: str
    done: bool


def recreate_children(context: Context, journal: Journal, approve: str = "") -> Recreation:
    """Show which children would be recreated; with the digest of that, let nova-compute recreate them.

    It is an attempt of its own at the recovery: one that waits at the same time stops. Raises InvalidInput and
    StepFailed where there is nothing to do, or it is too early or too late for it.
    """
    if not journal.is_open or journal.progress.direction == BACK:
        raise StepFailed(f"recovery {journal.saved.id} has ended or is being rolled back: no children are recreated")
    seen = look_at_replacement(context, journal)
    new = require_new(seen, journal.saved)
    children = _candidates(context, journal, seen, new)
    digest = _digest(journal, children)
    if not matches_digest(approve, digest):
        what = "the digest is not that of these children" if len(approve.strip()) >= LEAST_DIGEST else "not approved"
        return Recreation(
            f"{what}: nova-compute on {journal.saved.host} would recreate {', '.join(one.label for one in children)} "
            f"under other UUIDs, and PCI's and Neutron's bindings remember the former ones. You can also wait until "
            f"nova-compute refreshes its cache (resource_provider_association_refresh, 300 s by default)",
            children, digest[:SHOWN_DIGEST], done=False,
        )
    journal.take_over(STEP)
    take_lock(context, journal, journal.saved.stale.uuid, over=True)
    try:
        summary = _recreate(context, journal, new, children)
    except (ApiUnreachable, ApiUnavailable):
        journal.may_come_late()
        raise
    return Recreation(summary, children, digest[:SHOWN_DIGEST], done=True)


def settle_children(context: Context, journal: Journal, seen: Replacement, new: Provider) -> List[str]:
    """Bring each saved child that is not below the roots to its end; the names of those that nova-compute recreated.

    What stands decides, not the record: a child may also be there because a write was carried out late.
    """
    recreated = []
    for former, own_uuid in journal.progress.recreated.items():
        if own_uuid:  # a kill may have come before the delete, and somebody may hold it again
            _empty(context, former, own_uuid)
            context.placement.delete_provider(former)
    outside = {one.uuid for one in children_outside(context, journal.saved, seen)}
    below = {one.uuid for one in seen.children}
    for child in journal.saved.children:
        own = _own(context, child, new) if child.uuid not in below else None
        if own is not None:
            _replace_by(context, journal, child, own, stands=child.uuid in outside)
            recreated.append(child.name)
        elif child.uuid in outside:
            _put_back(context, journal, child, new)
        elif child.uuid in below and child.uuid in journal.progress.recreated:
            journal.keep_child(child.uuid)
    return recreated


def _candidates(context: Context, journal: Journal, seen: Replacement, new: Provider) -> Tuple[Provider, ...]:
    saved = journal.saved
    if not journal.progress.is_done(MOVE_ALLOCATIONS.name):
        raise StepFailed(
            f"recovery {saved.id} has not moved its allocations yet; resume it first: '{commands.resume(saved.id)}'"
        )
    if is_accepted(context, new.uuid):
        raise StepFailed(
            f"nova-compute on {saved.host} has accepted its provider {new.uuid}, so its children are not recreated; go "
            f"on with '{commands.resume(saved.id)}'"
        )
    parents = {one.parent_uuid for one in seen.children}
    found = [one for one in seen.directly_below([new.uuid]) if is_nova_child(saved, one)]
    chosen = tuple(one for one in found if one.uuid in saved.stale_uuids and one.uuid not in parents)
    if not chosen:
        raise InvalidInput(
            f"there is nothing to recreate on {saved.host}: no child of {new.uuid} is nova-compute's own (named "
            f"{saved.node}_...) and has no children itself"
        )
    return chosen


def _digest(journal: Journal, children: Tuple[Provider, ...]) -> str:
    text = " ".join([journal.saved.id, *sorted(one.uuid for one in children)])
    return hashlib.sha256(text.encode()).hexdigest()


def _recreate(context: Context, journal: Journal, new: Provider, children: Tuple[Provider, ...]) -> str:
    for child in children:
        journal.recreate(child.uuid)
        context.placement.reparent_provider(child, None, name=stale_name(child.name, journal.saved.id))
    end = context.clock.seconds() + context.config.acceptance_wait
    while context.clock.seconds() < end and not all(_own(context, one, new) for one in children):
        context.clock.sleep(POLL_SECONDS)
    recreated = settle_children(context, journal, look_at_replacement(context, journal), new)
    back = ", ".join(one.name for one in children if one.name not in recreated)
    kept = f"; {back} is back below the root, not recreated within {context.config.acceptance_wait} s" if back else ""
    return (
        f"nova-compute on {journal.saved.host} has recreated {', '.join(recreated) or 'no child'}{kept}; go on with "
        f"'{commands.resume(journal.saved.id)}'"
    )


def _own(context: Context, child: Provider, new: Provider) -> Optional[Provider]:
    """nova-compute's own child of that name, once it has inventories."""
    found = context.reader.find_provider_by_name(child.name)
    if found is None or found.uuid == child.uuid or found.root_uuid != new.uuid:
        return None
    return found if context.placement.inventories_of(found.uuid)[0] else None


def _put_back(context: Context, journal: Journal, child: Provider, new: Provider) -> None:
    try:
        context.placement.reparent_provider(child, parent_below(journal.saved, child, new.uuid))
    except ApiConflict as error:
        if error.code != DUPLICATE_NAME:
            raise
        raise ProviderNotReady(
            f"child provider {child.uuid} cannot be put back: another one bears its name {child.name} and has no "
            f"inventories yet, so nova-compute is creating it; resume when it has"
        ) from error
    journal.keep_child(child.uuid)


def _replace_by(context: Context, journal: Journal, child: Provider, own: Provider, stands: bool) -> None:
    """What the former child holds, and what others set on it, goes to nova-compute's own; then it is deleted.

    Of one that is gone already, the record says who is to hold what of it: the next move sets that.
    """
    traits: Set[str] = set_by_others(child)
    changes = {
        "traits": partial(add_traits, context, traits),
        "aggregates": partial(add_aggregates, context, set(child.aggregates)),
    }
    update_settings(context, own.uuid, changes)
    if stands:
        _empty(context, child.uuid, own.uuid)
    journal.recreate(child.uuid, own.uuid)
    if stands:
        context.placement.delete_provider(child.uuid)


def _empty(context: Context, former: str, own: str) -> None:
    """Move all holders of a former child. Raises CapacityExceeded, or ConsumerChanged where others keep writing."""

    def exhausted(last: object) -> ConsumerChanged:
        return ConsumerChanged(f"consumers of child provider {former} change all the time; resume. Last: {last}")

    for _ in range(CONFLICT_TRIES):
        if not retry_on_conflict(context, lambda: _move_holders(context, former, own), exhausted):
            return
    raise exhausted("it is held again after each move")


def _move_holders(context: Context, former: str, own: str) -> int:
    """Move who holds the former child now; how many that were."""
    if context.reader.provider(former) is None:
        return 0
    held = context.reader.show_consumers(context.placement.parts_on(former))
    moved = [
        one.holding({**one.without((former,)), own: one.allocations[former]}) for one in held if one.on((former,))
    ]
    try:
        for batch in in_batches(context, [[one] for one in moved]):
            write_consumers(context, batch)
    except ApiConflict as error:
        if error.code == CONCURRENT_UPDATE:
            raise
        raise CapacityExceeded(
            f"nova-compute's child provider {own} does not take what child provider {former} holds: {error}. Nothing "
            f"is lost; move servers away, or raise its ratio, then resume"
        ) from error
    return len(moved)
