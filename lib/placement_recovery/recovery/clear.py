"""Take the consumers' parts on the stale tree away, then the stale provider. Proven again right before each."""

from __future__ import annotations

from dataclasses import replace
from typing import List

from placement_recovery.errors import (
    ApiConflict,
    ApiFailure,
    ApiUnavailable,
    ApiUnreachable,
    ConsumerChanged,
    ProviderInUse,
    StepFailed,
)
from placement_recovery.model import Consumer
from placement_recovery.placement import CONCURRENT_UPDATE, PROVIDER_IN_USE, batches
from placement_recovery.plan.case import DISCARD
from placement_recovery.plan.consumers import decide, give_up, view_of
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import Saved, SavedConsumer
from placement_recovery.recovery import claim
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.planning import prove_again
from placement_recovery.snapshot import Snapshot


def delete_allocations(context: Context, journal: Journal) -> str:
    """Empty the stale tree: each consumer keeps what it holds elsewhere. One transaction a batch.

    What was not saved at the generation that it has now is not touched: raises ConsumerChanged or ProviderInUse. Once
    parts of others are away, a consumer that holds just what was saved may go at a later generation too.
    """
    saved = journal.saved
    if context.reader.provider(saved.stale.uuid) is None:
        return f"provider {saved.stale.uuid} is gone, and nothing is allocated on it"
    claim.require(context, journal, saved.stale.uuid)
    snapshot = prove_again(context, saved, holders=True)
    _check_disabled(snapshot, saved)
    _check_unchanged(snapshot, journal)
    cleared = [one.holding(one.without(saved.stale_uuids)) for one in snapshot.consumers]
    _write(context, journal, cleared)
    _check_empty(context, saved)
    already = len(saved.consumers) - len(cleared)
    more = f" ({already} held nothing there any more)" if already else ""
    return f"{len(cleared)} consumers hold nothing of provider {saved.stale.uuid} now{more}"


def delete_provider(context: Context, journal: Journal) -> str:
    """Delete the stale provider, which nobody holds. Raises ProviderInUse where somebody does again."""
    saved = journal.saved
    if context.reader.provider(saved.stale.uuid) is None:
        return f"provider {saved.stale.uuid} is gone already"
    claim.require(context, journal, saved.stale.uuid)
    prove_again(context, saved, holders=False)
    _check_empty(context, saved)
    begun = journal.progress.writing
    journal.writing(True)
    try:
        context.placement.delete_provider(saved.stale.uuid)
    except ApiConflict as error:
        journal.writing(begun)
        if error.code == PROVIDER_IN_USE:
            _check_empty(context, saved)
        raise ProviderInUse(f"provider {saved.stale.uuid} could not be deleted: {error}; then resume") from error
    return f"provider {saved.stale.uuid} ({saved.stale.name}) is deleted"


def _write(context: Context, journal: Journal, cleared: List[Consumer]) -> None:
    begun = journal.progress.writing
    for batch in batches(cleared, context.config.batch_size):
        journal.writing(True)
        try:
            context.placement.set_consumers(batch)
        except (ApiUnreachable, ApiUnavailable):
            raise  # nobody knows whether it was carried out
        except ApiFailure as error:
            # Placement refused the whole batch: if it was the first, nothing has been taken away.
            journal.writing(begun)
            if error.code != CONCURRENT_UPDATE:
                raise
            raise ConsumerChanged(
                f"a consumer of provider {journal.saved.stale.uuid} changed in this very moment, and nothing of the "
                f"batch of {len(batch)} was written: {error}"
            ) from error
        begun = True


def _check_disabled(snapshot: Snapshot, saved: Saved) -> None:
    if snapshot.service is not None and snapshot.service.status != "disabled":
        raise StepFailed(
            f"the compute service of {saved.host} was enabled meanwhile: nothing is taken away while it is, for a host "
            f"that looks empty would be filled"
        )


def _check_unchanged(snapshot: Snapshot, journal: Journal) -> None:
    """Each consumer that is still there is what was saved, and Nova still says of it what it said."""
    saved = journal.saved
    entries = {one.consumer.uuid: one for one in saved.consumers}
    for consumer in snapshot.consumers:
        if consumer.uuid not in entries:
            raise ProviderInUse(
                f"consumer {consumer.uuid} holds provider {saved.stale.uuid} since after the plan was made; it was not "
                f"saved, so nothing is taken away"
            )
        _check_same(consumer, entries[consumer.uuid], journal)
        _check_decision(consumer, entries[consumer.uuid], snapshot, saved)


def _check_same(consumer: Consumer, entry: SavedConsumer, journal: Journal) -> None:
    was, begun = entry.consumer, journal.progress.writing
    if consumer == was or (begun and replace(consumer, generation=was.generation) == was):
        return
    way_out = "; when it holds again what was saved, or nothing here, resume" if begun else ""
    raise ConsumerChanged(
        f"consumer {consumer.uuid} ({entry.kind} {entry.name}) changed since it was saved (generation "
        f"{was.generation}, now {consumer.generation}); nothing is taken away{way_out}"
    )


def _check_decision(consumer: Consumer, entry: SavedConsumer, snapshot: Snapshot, saved: Saved) -> None:
    decision = decide(consumer, view_of(snapshot, saved.unknown))
    if saved.method == DISCARD:
        decision = give_up(decision)
    if decision.disposition != entry.disposition:
        raise ConsumerChanged(
            f"consumer {consumer.uuid} ({entry.kind} {entry.name}) was to {entry.disposition}, but now: "
            f"{decision.evidence}; nothing is taken away"
        )


def _check_empty(context: Context, saved: Saved) -> None:
    left = sorted(one for uuid in saved.stale_uuids for one in context.placement.consumers_of(uuid))
    if left:
        raise ProviderInUse(
            f"provider {saved.stale.uuid} is in use again, by consumer {', '.join(left[:5])}, which was not saved so. "
            f"See who made it ('openstack resource provider allocation show {left[0]}'); when it is gone, resume"
        )
