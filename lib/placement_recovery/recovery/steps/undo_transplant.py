"""The rollback of a transplant: allocations back, then children and names, then the root that was made is deleted.

Exact in Placement as long as nova-compute has not accepted the new root; from then on the way is forward. If
nova-compute had looked at the root it logs errors until it refreshes its cache, no worse than the fault itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping

from placement_recovery import commands
from placement_recovery.cloud.model import Consumer, Inventory, Provider
from placement_recovery.errors import ApiConflict, ConsumerChanged, StepFailed
from placement_recovery.plan.owners import GONE, HELD, UNDER_WAY, Verdict
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.acceptance import is_accepted
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import require_lock, take_lock
from placement_recovery.recovery.methods import RESTORE_RESOURCE_PROVIDER
from placement_recovery.recovery.moving import in_batches, part_on, widen_for
from placement_recovery.recovery.ownership import ask_nova
from placement_recovery.recovery.replacement import Replacement, look_at_replacement, stale_roots
from placement_recovery.recovery.update import CONFLICT_TRIES, retry_on_conflict, update_with_retry, write_consumers

# Beyond any number that is given to a stale root.
_NEW_ROOT_NUMBER = 99


def prepare_rollback(context: Context, journal: Journal) -> str:
    """Turn the recovery back, if that is still possible. Raises StepFailed where the way is forward only."""
    journal.take_over(RESTORE_RESOURCE_PROVIDER.name)
    seen = look_at_replacement(context, journal)
    stale = _require_stale(seen, journal)
    _check_not_accepted(context, journal, seen)
    if journal.saved.stale.name != journal.saved.node:
        raise StepFailed(
            f"recovery {journal.saved.id} finishes what an earlier one began, and what was before that is not known; "
            f"{_forward(journal)}"
        )
    if journal.progress.recreated:
        raise StepFailed(
            f"children of {journal.saved.host} were set aside for nova-compute to recreate them; {_forward(journal)}"
        )
    journal.turn_back()
    take_lock(context, journal, stale.uuid, over=True)
    return f"provider {stale.uuid} stands as {stale.name}, and nova-compute has not accepted another one"


def move_back(context: Context, journal: Journal) -> str:
    """Every saved consumer holds the stale root as it did, in one write each, unless Nova shows why not."""
    seen = look_at_replacement(context, journal)
    stale = _require_stale(seen, journal)
    require_lock(context, journal, stale.uuid)
    _check_not_accepted(context, journal, seen)

    def exhausted(last: ApiConflict) -> ConsumerChanged:
        return ConsumerChanged(
            f"consumers of {journal.saved.host} change all the time, {CONFLICT_TRIES} tries met a conflict; roll back "
            f"again. Last: {last}"
        )

    for _ in range(CONFLICT_TRIES):
        if not retry_on_conflict(context, lambda: _write_back(context, journal, seen, stale), exhausted):
            _restore_inventories(context, stale.uuid, journal.saved.stale.inventories)
            return f"{len(journal.saved.consumers)} consumers hold provider {stale.uuid} as they did"
    raise ConsumerChanged(f"consumers of {journal.saved.host} change all the time; roll back again")


def return_provider_name(context: Context, journal: Journal) -> str:
    """Children and the node's name go back to the stale root, and the root that was made is deleted."""
    seen, saved = look_at_replacement(context, journal), journal.saved
    stale = _require_stale(seen, journal)
    require_lock(context, journal, stale.uuid)
    _check_not_accepted(context, journal, seen)
    made = [one for one in (seen.new, *seen.stale) if one is not None and one.uuid != saved.stale.uuid]
    for one in seen.directly_below([one.uuid for one in made]):
        context.placement.reparent_provider(one, stale.uuid)
    for number, one in enumerate(made):
        if one.name == saved.node:
            aside = stale_name(saved.node, saved.id, _NEW_ROOT_NUMBER + number)
            context.placement.rename_provider(one.uuid, aside)
    if stale.name != saved.stale.name:
        context.placement.rename_provider(stale.uuid, saved.stale.name)
    for one in made:
        context.placement.delete_provider(one.uuid)
    return f"provider {stale.uuid} bears the name {saved.stale.name}" + (
        f", and {', '.join(one.uuid for one in made)} is deleted; if nova-compute had looked at it, it logs errors "
        f"until it refreshes its cache"
        if made
        else ""
    )


def _require_stale(seen: Replacement, journal: Journal) -> Provider:
    uuid = journal.saved.stale.uuid
    found = next((one for one in seen.stale if one.uuid == uuid), None)
    if found is None:
        journal.turn_forward()
        raise StepFailed(f"the stale root {uuid} is deleted, so nothing can be taken back; {_forward(journal)}")
    return found


def _check_not_accepted(context: Context, journal: Journal, seen: Replacement) -> None:
    if seen.new is not None and is_accepted(context, seen.new.uuid):
        journal.turn_forward()
        raise StepFailed(
            f"nova-compute on {journal.saved.host} has accepted provider {seen.new.uuid}, and a way back would make it "
            f"fail at each periodic; {_forward(journal)}"
        )


def _forward(journal: Journal) -> str:
    return f"finish forward: '{commands.resume(journal.saved.id)}'"


def _write_back(context: Context, journal: Journal, seen: Replacement, stale: Provider) -> int:
    """Write what is not back yet; how many that were."""
    wanted = _wanted(context, journal, seen, stale)
    if wanted:
        _widen(context, stale, wanted)
        for batch in in_batches(context, [[one] for one in wanted]):
            write_consumers(context, batch)
    return len(wanted)


def _wanted(context: Context, journal: Journal, seen: Replacement, stale: Provider) -> List[Consumer]:
    saved = journal.saved
    roots = tuple({*stale_roots(journal), seen.hypervisor.uuid})
    made = tuple(one for one in roots if one != saved.stale.uuid)
    children = tuple(one.uuid for one in saved.children)
    standing = [one.uuid for one in (seen.new, *seen.stale) if one is not None and one.uuid in made]
    holders = {uuid for root in standing for uuid in context.placement.parts_on(root)}
    decisions = {one.uuid: one for one in saved.consumers}
    owned = [one for one in saved.consumers if not one.ownerless]
    verdicts: Dict[str, Verdict] = ask_nova(context, saved, owned) if owned else {}
    waiting = {uuid: one.reason for uuid, one in verdicts.items() if one.what == UNDER_WAY}
    if waiting:
        uuid, reason = sorted(waiting.items())[0]
        raise StepFailed(
            f"{len(waiting)} consumer(s) are under way: {uuid} ({reason}). Roll back again when it is over"
        )
    found = []
    for held in context.reader.show_consumers({*decisions, *holders}):
        decision = decisions.get(held.uuid)
        verdict = verdicts.get(held.uuid, Verdict(HELD, ""))
        whole: Dict[str, Mapping[str, int]] = dict(held.without(made))
        if verdict.what != GONE:
            part = part_on(decision.consumer, roots) if decision else part_on(held, made)
            whole.update({stale.uuid: part} if part else {})
            whole.update(decision.consumer.on(children) if decision else {})
        if whole != held.allocations:
            fresh = held.generation is None and decision is not None
            found.append(
                replace(decision.consumer, generation=None, allocations=whole)
                if fresh and decision
                else held.holding(whole)
            )
    return found


def _widen(context: Context, stale: Provider, wanted: List[Consumer]) -> None:
    """Not recorded: what was saved is set again afterwards, and the record says how the new root was widened."""
    parts: Dict[str, Mapping[str, int]] = {
        uuid: one.resources for uuid, one in context.placement.parts_on(stale.uuid).items()
    }
    parts.update({one.uuid: one.allocations[stale.uuid] for one in wanted if stale.uuid in one.allocations})
    widen_for(context, stale, parts.values())


def _restore_inventories(context: Context, uuid: str, inventories: Mapping[str, Inventory]) -> None:
    def change(found: Provider) -> bool:
        if dict(found.inventories) == dict(inventories):
            return False
        context.placement.set_inventories(found, inventories)
        return True

    update_with_retry(context, uuid, change)
