"""Give consumers back what they held, on one provider, if it is still their own.

`set_allocations` gives the kept ones their part on the new provider; `return_allocations`, of a rollback, gives all of
them their part on the stale one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, FrozenSet, List, Mapping, Tuple

from placement_recovery.cloud.model import Consumer, Provider, Resources
from placement_recovery.cloud.placement import CONCURRENT_UPDATE, batches
from placement_recovery.errors import ApiConflict, CapacityExceeded, ConsumerChanged, StepFailed
from placement_recovery.plan.capacity import misfits
from placement_recovery.plan.consumers import Decision
from placement_recovery.plan.owners import GONE, HELD, UNDER_WAY, Verdict
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.homes import require_homes, view_now
from placement_recovery.recovery.ownership import ask_nova
from placement_recovery.recovery.update import CONFLICT_TRIES, retry_on_conflict, write_consumers

# A delete or a reboot is over in seconds; what takes longer is left for a resume.
SETTLE_SECONDS = 60.0
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Restoration:
    """Which consumers get their part back, and on which provider.

    What is held of the `former` roots goes in the same write.
    """

    context: Context
    journal: Journal
    provider: Provider
    decisions: Tuple[Decision, ...]
    former: Tuple[str, ...] = ()

    def part(self, decision: Decision) -> Resources:
        """What this consumer held of the stale provider."""
        return decision.consumer.allocations[self.journal.saved.stale.uuid]

    def verdicts(self) -> Dict[str, Verdict]:
        """What Nova says of each now; what was left over before is so still."""
        left = {one.uuid: Verdict(HELD, "left over as before") for one in self.decisions if one.ownerless}
        owned = [one for one in self.decisions if not one.ownerless]
        return {**left, **(ask_nova(self.context, self.journal.saved, owned) if owned else {})}


def restore_allocations(restoration: Restoration) -> str:
    """Give all their part back in one transaction per batch, then ask Nova again.

    Raises CapacityExceeded, StepFailed for consumers that are under way, or ConsumerChanged where others keep writing
    or a server was left without an allocation at its new home; those that could be set are set then.
    """
    verdicts = _restore_until_settled(restoration)
    _record_gone(restoration.journal, verdicts)
    waiting = _waiting(restoration, verdicts)
    if waiting:
        uuid, reason = sorted(waiting.items())[0]
        raise StepFailed(
            f"{len(waiting)} consumer(s) are under way and could not be set yet: {uuid} ({reason}). All others are "
            f"set. Resume when it is over"
        )
    gone = sum(1 for one in verdicts.values() if one.what == GONE)
    if gone:
        saved = restoration.journal.saved
        require_homes(restoration.context, saved, view_now(restoration.context, saved))
    more = f"; {gone} do not, because their owners deleted or moved them meanwhile" if gone else ""
    held = len(verdicts) - gone
    return f"{held} consumers hold provider {restoration.provider.uuid} as they held the stale one{more}"


def _restore_until_settled(restoration: Restoration) -> Dict[str, Verdict]:
    """Set what can be set, again while some consumers are under way; the last verdicts."""
    clock = restoration.context.clock
    end = clock.seconds() + SETTLE_SECONDS
    while True:
        restored = _restore_with_retry(restoration)
        verdicts = _take_back(restoration)
        # Who settled between the two looks was not set yet.
        settled = any(one.what == HELD and uuid not in restored for uuid, one in verdicts.items())
        if not settled and (not _waiting(restoration, verdicts) or clock.seconds() >= end):
            return verdicts
        if not settled:
            clock.sleep(POLL_SECONDS)


def _waiting(restoration: Restoration, verdicts: Mapping[str, Verdict]) -> Dict[str, str]:
    """Who is under way and does not hold its part, with the reason."""
    busy = {uuid: one.reason for uuid, one in verdicts.items() if one.what == UNDER_WAY}
    held = restoration.context.placement.consumers_of(restoration.provider.uuid) if busy else {}
    parts = {one.uuid: dict(restoration.part(one)) for one in restoration.decisions if one.uuid in busy}
    return {uuid: reason for uuid, reason in busy.items() if held.get(uuid) != parts[uuid]}


def _restore_with_retry(restoration: Restoration) -> FrozenSet[str]:
    """Set at the generations of a fresh look. Returns who holds its part then."""
    host = restoration.journal.saved.host

    def exhausted(last: ApiConflict) -> ConsumerChanged:
        return ConsumerChanged(
            f"consumers of {host} change all the time, {CONFLICT_TRIES} tries met a conflict; resume. Last: {last}"
        )

    try:
        return retry_on_conflict(restoration.context, lambda: _restore(restoration), exhausted)
    except ApiConflict as error:
        raise CapacityExceeded(
            f"provider {restoration.provider.uuid} does not take what was saved: {error}. Nothing of the batch was "
            f"set; make room on the host, then resume"
        ) from error


def _restore(restoration: Restoration) -> FrozenSet[str]:
    """Write who does not hold what was saved, and who could still be emptied by a clear that comes late."""
    context, verdicts = restoration.context, restoration.verdicts()
    chosen = [one for one in restoration.decisions if verdicts[one.uuid].what == HELD]
    held = {one.uuid: one for one in context.reader.show_consumers(one.uuid for one in chosen)}
    wanted = {one.uuid: _wanted(restoration, one, held[one.uuid]) for one in chosen}
    todo = [one for one in wanted.values() if one.allocations != held[one.uuid].allocations]
    _check_capacity(restoration, todo)
    _write(context, todo)
    _write_until_past(restoration, chosen, wanted)
    return frozenset(one.uuid for one in chosen)


def _write_until_past(restoration: Restoration, chosen: List[Decision], wanted: Mapping[str, Consumer]) -> None:
    """Write again until each consumer's generation is beyond the one that a clear has named.

    Placement counts a consumer that was emptied from the beginning again. A clear that waits in a proxy's queue names
    the generation that was saved, and is carried out where the consumer bears it once more.
    """
    context, provider = restoration.context, restoration.provider.uuid
    for _ in range(max((one.consumer.generation or 0 for one in chosen), default=0) + 1):
        parts = context.placement.parts_on(provider)
        low = [
            replace(wanted[one.uuid], generation=parts[one.uuid].generation)
            for one in chosen
            if one.uuid in parts and parts[one.uuid].generation <= (one.consumer.generation or 0)
        ]
        if not low:
            return
        _write(context, low)


def _write(context: Context, consumers: List[Consumer]) -> None:
    for batch in batches(consumers, context.config.batch_size):
        _write_batch(context, batch)


def _write_batch(context: Context, batch: List[Consumer]) -> None:
    """One transaction; where a conflict may be that of a consumer which no look shows, it is found by halves."""
    try:
        write_consumers(context, batch) if len(batch) == 1 else context.placement.set_consumers(batch)
    except ApiConflict as error:
        if error.code != CONCURRENT_UPDATE or len(batch) == 1 or all(one.generation is not None for one in batch):
            raise
        middle = len(batch) // 2
        _write_batch(context, batch[:middle])
        _write_batch(context, batch[middle:])


def _wanted(restoration: Restoration, decision: Decision, held: Consumer) -> Consumer:
    """What it holds elsewhere now, with its saved part on the provider, whatever others wrote there meanwhile."""
    uuid = restoration.provider.uuid
    whole = {**held.without(restoration.former), uuid: restoration.part(decision)}
    if held.generation is None:
        return replace(decision.consumer, generation=None, allocations=whole)
    return held.holding(whole)


def _check_capacity(restoration: Restoration, todo: List[Consumer]) -> None:
    provider = restoration.provider
    parts: Dict[str, Mapping[str, int]] = {one.uuid: one.allocations[provider.uuid] for one in todo}
    if not parts:
        return
    problems = misfits(parts, provider.inventories)
    used = restoration.context.placement.usages(provider.uuid)
    for name, amount in sorted(used.items()):
        needed = sum(part.get(name, 0) for part in parts.values())
        capacity = provider.inventories[name].capacity if name in provider.inventories else 0
        if amount and needed and needed + amount > capacity:
            problems.append(f"{name}: {needed} are to be set beside {amount} in use, but {capacity} can be allocated")
    if problems:
        raise CapacityExceeded(
            f"what was saved does not fit provider {provider.uuid}: {'; '.join(problems)}. Nothing was set; "
            f"make room on the host, then resume"
        )


def _take_back(restoration: Restoration) -> Dict[str, Verdict]:
    """Ask Nova again; take our part from whoever was deleted or moved while we wrote it."""
    verdicts = restoration.verdicts()
    gone = [one for one in restoration.decisions if verdicts[one.uuid].what == GONE]
    for decision, held in zip(gone, restoration.context.reader.show_consumers(one.uuid for one in gone)):
        roots = (restoration.provider.uuid, *restoration.former)
        ours = tuple(uuid for uuid in roots if held.allocations.get(uuid) == restoration.part(decision))
        if ours:
            _take_part(restoration.context, held, ours)
    return verdicts


def _take_part(context: Context, held: Consumer, providers: Tuple[str, ...]) -> None:
    try:
        context.placement.set_consumers([held.holding(held.without(providers))])
    except ApiConflict as error:
        if error.code != CONCURRENT_UPDATE:
            raise
        # Nova was faster: it cleans up after its own delete or move, and the next look shows it.


def _record_gone(journal: Journal, verdicts: Dict[str, Verdict]) -> None:
    by_reason: Dict[str, Tuple[str, ...]] = {}
    for uuid, verdict in sorted(verdicts.items()):
        if verdict.what == GONE and journal.progress.outcomes.get(uuid) != verdict.reason:
            by_reason[verdict.reason] = (*by_reason.get(verdict.reason, ()), uuid)
    for reason, uuids in sorted(by_reason.items()):
        journal.outcome(uuids, reason)
