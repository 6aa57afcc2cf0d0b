"""Consumers changed since they were saved are re-read, re-decided and re-saved."""

from __future__ import annotations

from typing import List

from placement_recovery.cloud.model import Consumer
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.errors import CapacityExceeded, ConsumerChanged, ProviderInUse
from placement_recovery.plan.capacity import misfits
from placement_recovery.plan.consumers import DROP, KEEP, TRIM, Decision, View, decide, decide_by_method, view_of
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved


def decide_again(journal: Journal, snapshot: Snapshot) -> None:
    """Check each consumer of the stale tree as it is now, and record those that changed as they are now.

    Raises ProviderInUse for one that was not saved; ConsumerChanged where a decision comes out otherwise than the one
    that was approved, or other amounts would go for good; CapacityExceeded where what is to be kept has grown too much.
    """
    saved = journal.saved
    planned = {one.uuid: one for one in saved.consumers}
    view = view_of(snapshot, saved.unknown)
    changed: List[Decision] = []
    for consumer in snapshot.consumers:
        if consumer.uuid not in planned:
            raise ProviderInUse(
                f"consumer {consumer.uuid} holds provider {saved.stale.uuid} only since the plan was made; it was not "
                f"saved, so nothing is taken away"
            )
        changed += _changed(consumer, planned[consumer.uuid], saved, view)
    if changed:
        _check_fits(saved.with_changed(tuple(changed)))
        journal.save_again(tuple(changed))


def _changed(consumer: Consumer, before: Decision, saved: Saved, view: View) -> List[Decision]:
    decision = decide_by_method(decide(consumer, view), view, saved.method)
    _check_decision(decision, before)
    if consumer == before.consumer:
        return []
    if decision.disposition != KEEP and consumer.on(saved.stale_uuids) != before.consumer.on(saved.stale_uuids):
        raise ConsumerChanged(
            f"{_called(before)} changed since it was saved (generation {before.consumer.generation}, now "
            f"{consumer.generation}): other amounts than those of the plan would be given up; nothing is taken away"
        )
    return [decision]


def _check_decision(decision: Decision, before: Decision) -> None:
    """Who got a part elsewhere meanwhile keeps that; anything else is another plan."""
    if decision.disposition != before.disposition and (before.disposition, decision.disposition) != (DROP, TRIM):
        raise ConsumerChanged(
            f"{_called(before)} was to {before.disposition}, but now: {decision.evidence}; nothing is taken away"
        )


def _check_fits(saved: Saved) -> None:
    parts = {one.uuid: one.consumer.allocations[saved.stale.uuid] for one in saved.with_disposition(KEEP)}
    problems = misfits(parts, saved.stale.inventories)
    if problems:
        raise CapacityExceeded(
            f"what is to be kept on {saved.host} has grown and would not fit any more: {'; '.join(problems)}; nothing "
            f"is taken away"
        )


def _called(decision: Decision) -> str:
    return f"consumer {decision.uuid} ({decision.label})"
