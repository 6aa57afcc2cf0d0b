"""Move consumers from a stale root to the new one, so that none is without its allocation at any moment.

What ends the move is the record, not one look: each kept consumer holds on the new root, and on the children that came
along, what was saved, or Nova shows why not. Others' tools may strip or rewrite consumers meanwhile; what was saved is
set then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from placement_recovery.cloud.model import Consumer, Migration, Part, Provider, Resources
from placement_recovery.cloud.snapshot import Owners
from placement_recovery.plan.consumers import BLOCKED, DROP, KEEP, TRIM, Decision, View, decide, decide_by_method
from placement_recovery.plan.owners import (
    GONE,
    HELD,
    MIGRATION,
    MOVED_SERVER,
    SERVER,
    UNDER_WAY,
    Verdict,
    judge_owner,
)
from placement_recovery.plan.widening import widen, widened_fields
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.homes import lives_elsewhere
from placement_recovery.recovery.replacement import Replacement, children_outside, stale_roots

# A transaction of so many takes half a second; none is ever without its allocation, so nothing asks for larger ones.
BATCH_SIZE = 100


@dataclass(frozen=True)
class Holders:
    """Who holds the stale roots and the new one now, and what Nova knows of them. `held` are consumers as read now.

    `on_stale` also has those that hold nothing but a child and are to give that up. `on_host` is what each holds on the
    new root and the children. `roots` are the stale roots; `view.stale` has the children too.
    """

    view: View
    roots: Tuple[str, ...]
    on_stale: Dict[str, Dict[str, Part]]
    on_host: Dict[str, Dict[str, Part]]
    on_new: Dict[str, Part]
    held: Dict[str, Consumer] = field(default_factory=dict)

    @property
    def children(self) -> Tuple[str, ...]:
        """The UUIDs of what was below the stale root, as far as it stands."""
        return tuple(one for one in self.view.stale if one not in self.roots)

    @property
    def owners(self) -> Owners:
        """What Nova knows of them."""
        return self.view.owners


@dataclass
class Moves:
    """What is to be written, in groups that belong into one transaction each; and what is not settled, with its reason.

    `changed` are decisions to record before anything is written.
    """

    groups: List[List[Consumer]] = field(default_factory=list)
    changed: List[Decision] = field(default_factory=list)
    waiting: Dict[str, str] = field(default_factory=dict)
    gone: Dict[str, str] = field(default_factory=dict)


def look_at_holders(context: Context, journal: Journal, seen: Replacement, new: Provider) -> Holders:
    """One request per provider and a few lists of Nova's; a consumer is read by itself only where it changed."""
    saved, roots = journal.saved, stale_roots(journal)
    standing = (*seen.children, *children_outside(context, saved, seen))
    children = tuple(one.uuid for one in standing if one.uuid in saved.stale_uuids)
    on_new = context.placement.parts_on(new.uuid)
    on_host = _by_consumer({new.uuid: on_new, **{one: context.placement.parts_on(one) for one in children}})
    on_stale = _by_consumer({one: context.placement.parts_on(one) for one in seen.stale_uuids})
    planned = {one.uuid: one for one in saved.consumers}
    given_up = {one.uuid for one in saved.with_disposition(DROP, TRIM)}
    on_stale.update({one: part for one, part in on_host.items() if one in given_up - set(on_stale)})
    movers = {one.mover for one in saved.consumers if one.mover}
    owners = context.reader.sure_owners(saved.host, sorted({*planned, *on_stale}), movers)
    view = View(saved.host, saved.node, (*roots, *children), owners, seen.hypervisors, saved.unknown)
    looked = Holders(view, roots, on_stale, on_host, on_new)
    changed = [one for one in on_stale if not _as_saved(planned.get(one), on_stale[one])]
    absent = [
        one.uuid
        for one in saved.consumers
        if one.uuid not in on_stale and (not _is_moved(one, looked, new.uuid) or _verdict(one, view).what == GONE)
    ]
    held = {one.uuid: one for one in context.reader.show_consumers({*changed, *absent})}
    held.update({one: planned[one].consumer for one in on_stale if one not in held})
    known = context.reader.with_homes(seen.hypervisors, held.values(), owners)
    return replace(looked, view=replace(view, hypervisors=known), held=held)


def _by_consumer(parts: Mapping[str, Mapping[str, Part]]) -> Dict[str, Dict[str, Part]]:
    found: Dict[str, Dict[str, Part]] = {}
    for provider, holders in parts.items():
        for uuid, part in holders.items():
            found.setdefault(uuid, {})[provider] = part
    return found


def _as_saved(decision: Optional[Decision], parts: Dict[str, Part]) -> bool:
    """Whether a consumer is what was saved: every write of it would have moved its generation."""
    return decision is not None and all(one.generation == decision.consumer.generation for one in parts.values())


def _is_moved(decision: Decision, holders: Holders, new: str) -> bool:
    held = holders.on_host.get(decision.uuid, {})
    return {uuid: dict(part.resources) for uuid, part in held.items()} == _wanted(decision.consumer, holders, new)


def _wanted(consumer: Consumer, holders: Holders, new: str) -> Dict[str, Dict[str, int]]:
    """What a consumer is to hold of the host: its part of the stale roots on the new one, and the children's."""
    part = part_on(consumer, holders.roots)
    return {**({new: part} if part else {}), **consumer.on(holders.children)}


def part_on(consumer: Consumer, roots: Tuple[str, ...]) -> Dict[str, int]:
    """What a consumer holds of these roots; of two that both bear its part, one counts."""
    part: Dict[str, int] = {}
    for resources in consumer.on(roots).values():
        for name, amount in resources.items():
            part[name] = max(part.get(name, 0), amount)
    return part


def _verdict(decision: Decision, view: View) -> Verdict:
    """Whether its part is still its own, as Nova shows things now."""
    if decision.ownerless:
        return Verdict(HELD, "left over as before")
    return judge_owner(decision.uuid, decision.kind, decision.mover, view.host, view.node, view.owners)


def plan_moves(saved: Saved, holders: Holders, new: str) -> Moves:
    """What has to be written now. Pure."""
    moves = Moves()
    planned = {one.uuid: one for one in saved.consumers}
    for uuid in sorted(holders.on_stale):
        _plan_holder(moves, planned.get(uuid), saved, holders, new, uuid)
    # A migration is written together with its server, which gives the source part to it.
    written = {one.uuid for group in moves.groups for one in group}
    for uuid in sorted(set(planned) - written - set(holders.on_stale)):
        if planned[uuid].disposition == KEEP:
            _plan_absent(moves, planned[uuid], holders, new)
    return moves


def _plan_holder(moves: Moves, before: Optional[Decision], saved: Saved, holders: Holders, new: str, uuid: str) -> None:
    """One that holds the stale root: its part moves along, or goes where it is proven to be left over."""
    consumer, view = holders.held[uuid], holders.view
    decision = decide_by_method(decide(consumer, view), view, saved.method)
    if decision.unproven and (before is None or before.disposition not in (DROP, TRIM)):
        decision = replace(decision, disposition=KEEP, unproven=False)  # nobody approved that it goes
    if before is None or consumer != before.consumer:
        moves.changed.append(replace(decision, disposition=KEEP) if decision.disposition == BLOCKED else decision)
    if decision.disposition == BLOCKED:
        _plan_blocked(moves, decision, holders, new)
    elif decision.disposition == KEEP:
        _write(moves, consumer, _moved(consumer, holders, new))
    else:
        _write(moves, consumer, consumer.holding(consumer.without(view.stale)))


def _write(moves: Moves, held: Consumer, wanted: Consumer) -> None:
    """Unless it holds that already: who came back to the host may hold a child, and nothing of a stale root."""
    if wanted != held:
        moves.groups.append([wanted])


def _plan_absent(moves: Moves, before: Decision, holders: Holders, new: str) -> None:
    """One that was to be kept and does not hold the stale root any more."""
    uuid, verdict = before.uuid, _verdict(before, holders.view)
    if verdict.what == GONE:
        moves.gone[uuid] = verdict.reason
        _plan_gone(moves, holders.held[uuid], holders, new)
    elif uuid not in holders.held:
        return  # moved, as it was saved
    elif verdict.what == UNDER_WAY:
        # Of a move that began once it was on the new root, Nova itself has given the source part to the migration.
        if not any(one.uuid in holders.on_new for one in holders.owners.open_moves(uuid)):
            moves.waiting[uuid] = verdict.reason
    else:
        _write(moves, holders.held[uuid], _restored(before, holders.held[uuid], holders, new))


def _plan_gone(moves: Moves, held: Consumer, holders: Holders, new: str) -> None:
    """Our part is taken back from who was deleted or moved while it was written, unless it would hold nothing then."""
    left = held.without((new, *holders.children))
    if left != held.allocations and (left or not lives_elsewhere(held.uuid, holders.view)):
        moves.groups.append([held.holding(left)])


def _restored(before: Decision, held: Consumer, holders: Holders, new: str) -> Consumer:
    """What others stripped or rewrote is set as it was saved; what it holds elsewhere stays."""
    whole = {**held.allocations, **_wanted(before.consumer, holders, new)}
    if held.generation is None:
        return replace(before.consumer, generation=None, allocations=whole)
    return held.holding(whole)


def _plan_blocked(moves: Moves, decision: Decision, holders: Holders, new: str) -> None:
    """A server that is under way: its source part goes to the migration's UUID where the migration holds nothing."""
    migration = _source_of_move(decision, holders)
    if migration is None:
        moves.waiting[decision.uuid] = decision.evidence
        return
    server, stale = decision.consumer, holders.view.stale
    group = [server.holding(server.without(stale))]
    moves.changed.append(replace(decision, disposition=TRIM))
    if migration.uuid not in holders.on_new:
        source = replace(server, uuid=migration.uuid, generation=0, allocations=server.on(stale))
        evidence = f"source part of {migration.route}, begun during the recovery"
        moves.changed.append(Decision(source, MIGRATION, KEEP, evidence, mover=server.uuid))
        group.append(replace(_moved(source, holders, new), generation=None))
    moves.groups.append(group)


def _source_of_move(decision: Decision, holders: Holders) -> Optional[Migration]:
    """The move from this host whose source part the server still holds itself, beside its destination.

    Its migration holds nothing yet, or that part of the new root already.
    """
    server, view = decision.consumer, holders.view
    if decision.kind not in (SERVER, MOVED_SERVER) or not server.without(view.stale):
        return None
    part = part_on(server, holders.roots)
    held = {*holders.on_stale, *(uuid for uuid, one in holders.on_new.items() if dict(one.resources) != part)}
    moves = [
        one
        for one in holders.owners.migrations
        if one.server_uuid == server.uuid
        and one.source_host == view.host
        and one.type != "evacuation"  # which leaves the source part with the server
        and (one.is_open or one.status == "finished")
        and one.uuid not in held
    ]
    return moves[-1] if moves else None


def _moved(consumer: Consumer, holders: Holders, new: str) -> Consumer:
    """The consumer with its parts on the stale roots on the new one; those on children stay."""
    return consumer.holding({**consumer.without(holders.view.stale), **_wanted(consumer, holders, new)})


def widen_for(
    context: Context, provider: Provider, parts: Iterable[Resources], journal: Optional[Journal] = None
) -> None:
    """Make a provider's inventories wide enough for these parts; with a journal, recorded before it is written."""
    inventories, generation = context.placement.inventories_of(provider.uuid)
    wide = widen(inventories, parts)
    if wide:
        if journal is not None:
            journal.widen(widened_fields(inventories, wide))
        context.placement.set_inventories(replace(provider, generation=generation), {**inventories, **wide})


def in_batches(context: Context, groups: Iterable[List[Consumer]]) -> List[List[Consumer]]:
    """Groups joined to the transactions of a transplant."""
    return batched(groups, min(BATCH_SIZE, context.config.batch_size))


def batched(groups: Iterable[List[Consumer]], most: int) -> List[List[Consumer]]:
    """Groups joined to transactions of at most `most` consumers; typed and untyped apart, and one that holds nothing
    in a transaction of its own.
    """
    found: List[List[Consumer]] = []
    alone = False
    for group in sorted(groups, key=lambda one: (bool(one[0].type), one[0].uuid)):
        full = not found or len(found[-1]) + len(group) > most or bool(found[-1][0].type) != bool(group[0].type)
        fresh = group[0].generation is None
        if full or fresh or alone:
            found.append([])
        found[-1].extend(group)
        alone = fresh
    return found
