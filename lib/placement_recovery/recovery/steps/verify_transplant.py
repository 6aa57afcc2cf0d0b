"""verify_recovery of a transplant: judged by Nova's and Placement's state, inventories and traits included."""

from __future__ import annotations

from typing import List

from placement_recovery.cloud.model import ACCEPTED
from placement_recovery.errors import VerificationFailed
from placement_recovery.plan.consumers import KEEP
from placement_recovery.plan.widening import narrow
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.counts import counted
from placement_recovery.recovery.homes import without_a_home
from placement_recovery.recovery.moving import Holders, Moves, look_at_holders, plan_moves
from placement_recovery.recovery.provider_settings import set_by_others
from placement_recovery.recovery.replacement import children_astray, look_at_replacement, require_new
from placement_recovery.recovery.steps.move_allocations import narrow_inventories


def verify_transplant(context: Context, journal: Journal) -> str:
    """Check the host, its roots, and every saved consumer. Raises VerificationFailed with all differences."""
    saved = journal.saved
    seen = look_at_replacement(context, journal)
    new = require_new(seen, saved)
    narrow_inventories(context, journal, new.uuid)
    traits, _ = context.placement.traits_of(new.uuid)
    inventories, _ = context.placement.inventories_of(new.uuid)
    holders = look_at_holders(context, journal, seen, new)
    moves = plan_moves(saved, holders, new.uuid)
    differences: List[str] = [f"the stale root {one} still stands" for one in seen.stale_uuids]
    differences += children_astray(context, saved, seen, new.uuid)
    differences += _lost_children(saved, holders, moves)
    if ACCEPTED not in traits:
        differences.append(f"nova-compute has not accepted provider {new.uuid}")
    if narrow(inventories, journal.progress.widened, saved.stale.inventories) != inventories:
        differences.append(f"the inventories of provider {new.uuid} are still wider than they were")
    missing = sorted(set_by_others(saved.stale) - set(traits))
    differences += [f"provider {new.uuid} lacks the trait {one}" for one in missing]
    differences += [f"{group[0].uuid} does not hold provider {new.uuid} as it was saved" for group in moves.groups]
    differences += [f"{uuid} is under way: {reason}" for uuid, reason in moves.waiting.items()]
    homeless = without_a_home(context, saved, holders.view)
    differences += [f"{uuid} lives elsewhere and does not hold there what it needs" for uuid in homeless]
    if differences:
        raise VerificationFailed(
            f"{len(differences)} difference(s) on {saved.host}: {'; '.join(differences[:5])}. What was saved stands in "
            f"recovery {saved.id}; resume it, or look at each"
        )
    gone = [one for one in saved.with_disposition(KEEP) if one.uuid in moves.gone]
    return f"{saved.host} is healthy; {counted(saved, len(saved.with_disposition(KEEP)) - len(gone), len(gone))}"


def _lost_children(saved: Saved, holders: Holders, moves: Moves) -> List[str]:
    """Children that kept consumers held, unless their owners changed that, and that do not stand any more."""
    lost = {one.uuid: one for one in saved.children if one.uuid not in holders.children}
    return [
        f"{one.uuid} held {lost[uuid].label}, and that child provider is gone"
        for one in saved.with_disposition(KEEP)
        if one.uuid not in moves.gone
        for uuid in one.consumer.on(tuple(lost))
    ]
