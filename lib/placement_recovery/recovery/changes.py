"""Consumers that others changed since they were saved: read again, decided upon again, saved again."""

from __future__ import annotations

from typing import List

from placement_recovery.errors import CapacityExceeded, ConsumerChanged, ProviderInUse
from placement_recovery.model import Consumer
from placement_recovery.plan.capacity import misfits
from placement_recovery.plan.case import DISCARD
from placement_recovery.plan.consumers import DROP, KEEP, TRIM, Decision, View, decide, give_up, view_of
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import Saved, SavedConsumer
from placement_recovery.snapshot import Snapshot

# How often a batch is written at the generations of a fresh look before somebody else's writes are too many.
ATTEMPTS = 5


def decide_again(journal: Journal, snapshot: Snapshot) -> None:
    """Check each consumer of the stale tree as it is now, and record those that changed as they are now.

    Raises ProviderInUse for one that was not saved; ConsumerChanged where a decision comes out otherwise than the one
    that was approved, or other amounts would go for good; CapacityExceeded where what is to be kept has grown too much.
    """
    saved = journal.saved
    entries = {one.consumer.uuid: one for one in saved.consumers}
    view = view_of(snapshot, saved.unknown)
    changed: List[SavedConsumer] = []
    for consumer in snapshot.consumers:
        if consumer.uuid not in entries:
            raise ProviderInUse(
                f"consumer {consumer.uuid} holds provider {saved.stale.uuid} since after the plan was made; it was not "
                f"saved, so nothing is taken away"
            )
        changed += _changed(consumer, entries[consumer.uuid], saved, view)
    if changed:
        _check_fits(saved.with_changed(tuple(changed)))
        journal.save_again(tuple(changed))


def _changed(consumer: Consumer, entry: SavedConsumer, saved: Saved, view: View) -> List[SavedConsumer]:
    decision = decide(consumer, view)
    if saved.method == DISCARD:
        decision = give_up(decision)
    _check_decision(decision, entry)
    if consumer == entry.consumer:
        return []
    if decision.disposition != KEEP and consumer.on(saved.stale_uuids) != entry.consumer.on(saved.stale_uuids):
        raise ConsumerChanged(
            f"{_named(entry)} changed since it was saved (generation {entry.consumer.generation}, now "
            f"{consumer.generation}): other amounts than those of the plan would be given up; nothing is taken away"
        )
    return [
        SavedConsumer(
            consumer, decision.name, decision.kind, decision.disposition, decision.evidence, decision.leftover
        )
    ]


def _check_decision(decision: Decision, entry: SavedConsumer) -> None:
    """Who got a part elsewhere meanwhile keeps that; anything else is another plan."""
    if decision.disposition != entry.disposition and (entry.disposition, decision.disposition) != (DROP, TRIM):
        raise ConsumerChanged(
            f"{_named(entry)} was to {entry.disposition}, but now: {decision.evidence}; nothing is taken away"
        )


def _check_fits(saved: Saved) -> None:
    parts = {one.consumer.uuid: one.consumer.allocations[saved.stale.uuid] for one in saved.with_disposition(KEEP)}
    problems = misfits(parts, saved.stale.inventories)
    if problems:
        raise CapacityExceeded(
            f"what is to be kept on {saved.host} has grown and would not fit any more: {'; '.join(problems)}; nothing "
            f"is taken away"
        )


def _named(entry: SavedConsumer) -> str:
    return f"consumer {entry.consumer.uuid} ({entry.kind} {entry.name})"
