"""Give consumers back what they held, on one provider, if they are still what they were.

`set_allocations` gives the kept ones their part on the new provider; `return_allocations`, of a rollback, gives all of
them their part on the stale one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, FrozenSet, List, Mapping, Tuple

from placement_recovery.errors import ApiConflict, CapacityExceeded, ConsumerChanged, StepFailed
from placement_recovery.model import Consumer, Provider
from placement_recovery.placement import CONCURRENT_UPDATE, batches
from placement_recovery.plan.capacity import misfits
from placement_recovery.plan.consumers import KEEP
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import SavedConsumer
from placement_recovery.recovery import claim
from placement_recovery.recovery.changes import ATTEMPTS
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.owners import SET, SKIP, WAIT, Verdict, ask
from placement_recovery.recovery.wait import new_provider

# A delete or a reboot is over in seconds; what takes longer is left for a resume.
SETTLE_SECONDS = 60.0
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Giving:
    """Who gets its part back, and on which provider."""

    context: Context
    journal: Journal
    provider: Provider
    entries: Tuple[SavedConsumer, ...]

    def part(self, entry: SavedConsumer) -> Mapping[str, int]:
        """What this consumer held of the stale provider."""
        return entry.consumer.allocations[self.journal.saved.stale.uuid]

    def verdicts(self) -> Dict[str, Verdict]:
        """What Nova says of each now; what was left over before is so still."""
        left = {one.consumer.uuid: Verdict(SET, "left over as before") for one in self.entries if one.leftover}
        owned = [one for one in self.entries if not one.leftover]
        return {**left, **(ask(self.context, self.journal.saved, owned) if owned else {})}


def set_allocations(context: Context, journal: Journal) -> str:
    """Set all kept consumers' allocations on the new provider in one transaction a batch; then ask Nova again.

    Raises CapacityExceeded, ConsumerChanged, or StepFailed for consumers that are under way; those that could be set
    are, then.
    """
    provider = new_provider(context, journal)
    claim.take(context, journal, provider.uuid)
    return give(Giving(context, journal, provider, journal.saved.with_disposition(KEEP)))


def give(giving: Giving) -> str:
    """Give all entries their part, in one transaction a batch; raises as `set_allocations` does."""
    verdicts = _settled(giving)
    _tell_skipped(giving.journal, verdicts)
    waiting = {uuid: one.reason for uuid, one in verdicts.items() if one.what == WAIT}
    if waiting:
        uuid, reason = sorted(waiting.items())[0]
        raise StepFailed(
            f"{len(waiting)} consumer(s) are under way and could not be set yet: {uuid} ({reason}). All others are. "
            f"Resume when it is over"
        )
    count = sum(1 for one in verdicts.values() if one.what == SET)
    gone = len(verdicts) - count
    more = f"; {gone} not, for their owners deleted or moved them meanwhile" if gone else ""
    return f"{count} consumers hold provider {giving.provider.uuid} as they held the stale one{more}"


def _settled(giving: Giving) -> Dict[str, Verdict]:
    """Set what can be set, again while some consumers are under way; the last verdicts."""
    clock = giving.context.clock
    end = clock.seconds() + SETTLE_SECONDS
    while True:
        given = _set_unbeaten(giving)
        verdicts = _take_back(giving)
        # Who settled between the two looks was not set yet.
        settled = any(one.what == SET and uuid not in given for uuid, one in verdicts.items())
        waiting = any(one.what == WAIT for one in verdicts.values())
        if not settled and (not waiting or clock.seconds() >= end):
            return verdicts
        if not settled:
            clock.sleep(POLL_SECONDS)


def _set_unbeaten(giving: Giving) -> FrozenSet[str]:
    """Set at the generations of a fresh look; look again where somebody was faster. Returns who was given its part."""
    for _ in range(ATTEMPTS):
        try:
            return _set(giving)
        except ApiConflict as error:
            if error.code != CONCURRENT_UPDATE:
                raise CapacityExceeded(
                    f"provider {giving.provider.uuid} does not take what was saved: {error}. Nothing of the batch was "
                    f"set; make room or raise the ratio in nova.conf, then resume"
                ) from error
            last = error
    raise ConsumerChanged(
        f"consumers of {giving.journal.saved.host} change all the time, {ATTEMPTS} attempts met a conflict; resume. "
        f"Last: {last}"
    ) from last


def _set(giving: Giving) -> FrozenSet[str]:
    context, verdicts = giving.context, giving.verdicts()
    chosen = [one for one in giving.entries if verdicts[one.consumer.uuid].what == SET]
    held = {one.uuid: one for one in context.reader.show_consumers(one.consumer.uuid for one in chosen)}
    todo = []
    for entry in chosen:
        wanted = _wanted(giving, entry, held[entry.consumer.uuid])
        if wanted.allocations != held[entry.consumer.uuid].allocations:
            todo.append(wanted)
    _check_capacity(giving, todo)
    for batch in batches(todo, context.config.batch_size):
        context.placement.set_consumers(batch)
    return frozenset(one.consumer.uuid for one in chosen)


def _wanted(giving: Giving, entry: SavedConsumer, held: Consumer) -> Consumer:
    """What it holds now, with its saved part on the provider, unless it holds something there already."""
    if giving.provider.uuid in held.allocations:
        return held
    whole = {**held.allocations, giving.provider.uuid: giving.part(entry)}
    if held.generation is None:
        return replace(entry.consumer, generation=None, allocations=whole)
    return held.holding(whole)


def _check_capacity(giving: Giving, todo: List[Consumer]) -> None:
    provider = giving.provider
    parts: Dict[str, Mapping[str, int]] = {one.uuid: one.allocations[provider.uuid] for one in todo}
    if not parts:
        return
    problems = misfits(parts, provider.inventories)
    used = giving.context.placement.usages(provider.uuid)
    for name, amount in sorted(used.items()):
        needed = sum(part.get(name, 0) for part in parts.values())
        capacity = provider.inventories[name].capacity if name in provider.inventories else 0
        if amount and needed and needed + amount > capacity:
            problems.append(f"{name}: {needed} are to be set beside {amount} in use, but {capacity} can be allocated")
    if problems:
        raise CapacityExceeded(
            f"what was saved does not fit provider {provider.uuid}: {'; '.join(problems)}. Nothing was set; "
            f"make room or raise the ratio in nova.conf, then resume"
        )


def _take_back(giving: Giving) -> Dict[str, Verdict]:
    """Ask Nova again; take our part from whoever was deleted or moved while we wrote it."""
    verdicts = giving.verdicts()
    gone = [one for one in giving.entries if verdicts[one.consumer.uuid].what == SKIP]
    for entry, held in zip(gone, giving.context.reader.show_consumers(one.consumer.uuid for one in gone)):
        if held.allocations.get(giving.provider.uuid) == giving.part(entry):
            _take_part(giving.context, held, giving.provider.uuid)
    return verdicts


def _take_part(context: Context, held: Consumer, provider: str) -> None:
    try:
        context.placement.set_consumers([held.holding(held.without((provider,)))])
    except ApiConflict as error:
        if error.code != CONCURRENT_UPDATE:
            raise
        # Nova was faster: it cleans up after its own delete or move, and the next look tells.


def _tell_skipped(journal: Journal, verdicts: Dict[str, Verdict]) -> None:
    by_reason: Dict[str, Tuple[str, ...]] = {}
    for uuid, verdict in sorted(verdicts.items()):
        if verdict.what == SKIP and journal.progress.outcomes.get(uuid) != verdict.reason:
            by_reason[verdict.reason] = (*by_reason.get(verdict.reason, ()), uuid)
    for reason, uuids in sorted(by_reason.items()):
        journal.outcome(uuids, reason)
