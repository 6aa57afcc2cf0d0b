"""move_allocations: each consumer's part goes from the stale root to the new one in one write: none is without it."""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, Tuple

from placement_recovery.cloud.model import Consumer, Provider
from placement_recovery.cloud.placement import CONCURRENT_UPDATE
from placement_recovery.errors import ApiConflict, CapacityExceeded, ConsumerChanged, StepFailed
from placement_recovery.plan.consumers import KEEP
from placement_recovery.plan.widening import narrow, widen
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.counts import counted
from placement_recovery.recovery.homes import require_homes
from placement_recovery.recovery.moving import (
    Holders,
    Moves,
    in_batches,
    look_at_holders,
    part_on,
    plan_moves,
    widen_for,
)
from placement_recovery.recovery.replacement import Replacement, look_at_replacement, require_new
from placement_recovery.recovery.update import CONFLICT_TRIES, retry_on_conflict, update_with_retry, write_consumers

# A delete or a reboot is over in seconds; what takes longer is left for a resume.
SETTLE_SECONDS = 60.0
POLL_SECONDS = 2.0


def move_allocations(context: Context, journal: Journal) -> str:
    """Move all, look again until nothing is left to write, and narrow the inventories that were widened for it.

    Raises StepFailed for consumers that are under way, CapacityExceeded, or ConsumerChanged where others keep writing
    or a server was left without an allocation at its new home; all others are moved then.
    """
    seen = look_at_replacement(context, journal)
    new = require_new(seen, journal.saved)
    moves = _move_until_settled(context, journal, seen, new)
    for uuid, reason in moves.gone.items():
        if journal.progress.outcomes.get(uuid) != reason:
            journal.outcome((uuid,), reason)
    if moves.waiting:
        uuid, reason = sorted(moves.waiting.items())[0]
        raise StepFailed(
            f"{len(moves.waiting)} consumer(s) are under way and were not moved yet: {uuid} ({reason}). All others "
            f"are. They hold the stale root until then; resume when it is over"
        )
    narrow_inventories(context, journal, new.uuid)
    saved = journal.saved
    gone = sum(1 for one in saved.with_disposition(KEEP) if one.uuid in moves.gone)
    return f"none holds the stale root any more; {counted(saved, len(saved.with_disposition(KEEP)) - gone, gone)}"


def narrow_inventories(context: Context, journal: Journal, provider: str) -> None:
    """Take back what was widened; what nova-compute wrote since stays."""
    widened, target = journal.progress.widened, journal.saved.stale.inventories
    if not widened:
        return

    def change(found: Provider) -> bool:
        wanted = narrow(found.inventories, widened, target)
        if wanted == dict(found.inventories):
            return False
        context.placement.set_inventories(found, wanted)
        return True

    update_with_retry(context, provider, change)


def _move_until_settled(context: Context, journal: Journal, seen: Replacement, new: Provider) -> Moves:
    end = context.clock.seconds() + SETTLE_SECONDS

    def exhausted(last: ApiConflict) -> ConsumerChanged:
        return ConsumerChanged(
            f"consumers of {journal.saved.host} change all the time, {CONFLICT_TRIES} tries met a conflict; resume. "
            f"Last: {last}"
        )

    while True:
        holders, moves = retry_on_conflict(context, lambda: _move(context, journal, seen, new), exhausted)
        late = context.clock.seconds() >= end
        if not moves.groups or late:
            require_homes(context, journal.saved, holders.view)
        if not moves.groups and (not moves.waiting or late):
            return moves
        if late:
            raise ConsumerChanged(
                f"consumers of {journal.saved.host} change all the time; resume when they are settled"
            )
        if not moves.groups:
            context.clock.sleep(POLL_SECONDS)


def _move(context: Context, journal: Journal, seen: Replacement, new: Provider) -> Tuple[Holders, Moves]:
    """Ask Nova and Placement, and write what has to be written; an empty plan is the proof that nothing has to be."""
    holders = look_at_holders(context, journal, seen, new)
    moves = plan_moves(journal.saved, holders, new.uuid)
    if moves.changed:
        journal.save_again(tuple(moves.changed))
    if moves.groups:
        _write(context, journal, holders, new, moves.groups)
    return holders, moves


def _write(context: Context, journal: Journal, holders: Holders, new: Provider, groups: List[List[Consumer]]) -> None:
    """Wide enough for all from the first batch on, where the inventories that were copied are not."""
    all_of_them = [one for group in groups for one in group]
    if widen(journal.saved.stale.inventories, _parts(journal, holders, new, all_of_them)):
        _widen(context, journal, holders, new, all_of_them)
    for batch in in_batches(context, groups):
        _write_batch(context, new, batch, lambda: _widen(context, journal, holders, new, all_of_them))


def _write_batch(context: Context, new: Provider, batch: List[Consumer], widen_again: Callable[[], None]) -> None:
    """nova-compute may narrow between our widening and our write, so both are tried again together."""
    for _ in range(CONFLICT_TRIES):
        try:
            return write_consumers(context, batch)
        except ApiConflict as error:
            if error.code == CONCURRENT_UPDATE:
                raise
            last = error
        widen_again()
    raise CapacityExceeded(
        f"provider {new.uuid} does not take {len(batch)} consumer(s) though it was widened: {last}. They hold the "
        f"stale root; see what else writes to the provider, then resume"
    ) from last


def _widen(context: Context, journal: Journal, holders: Holders, new: Provider, written: List[Consumer]) -> None:
    """Wide enough for all that is to be kept, recorded before it is written."""
    widen_for(context, new, _parts(journal, holders, new, written), journal)


def _parts(journal: Journal, holders: Holders, new: Provider, written: List[Consumer]) -> List[Mapping[str, int]]:
    """All that the new root is to hold: what it holds, what is written now, and what is still to be moved."""
    parts: Dict[str, Mapping[str, int]] = {uuid: one.resources for uuid, one in holders.on_new.items()}
    kept = journal.saved.with_disposition(KEEP)
    parts.update({one.uuid: part_on(one.consumer, holders.roots) for one in kept})
    parts.update({one.uuid: one.allocations[new.uuid] for one in written if new.uuid in one.allocations})
    return list(parts.values())

