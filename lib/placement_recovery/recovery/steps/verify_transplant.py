"""verify_recovery of a transplant: judged by Nova's and Placement's state, inventories and traits included."""

from __future__ import annotations

from typing import List

from placement_recovery.cloud.model import ACCEPTED, Provider
from placement_recovery.errors import VerificationFailed
from placement_recovery.plan.consumers import KEEP
from placement_recovery.plan.widening import narrow
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.counts import counted
from placement_recovery.recovery.homes import without_a_home
from placement_recovery.recovery.moving import look_at_holders, plan_moves
from placement_recovery.recovery.provider_settings import set_by_others
from placement_recovery.recovery.replacement import Replacement, look_at_replacement, require_new
from placement_recovery.recovery.steps.move_allocations import narrow_inventories


def _children_astray(saved: Saved, seen: Replacement, new: Provider) -> List[str]:
    """Those that stand and are not where they were, seen from the root; nova-compute may have deleted an unused one."""
    parents = {one.uuid: one.parent_uuid for one in seen.children}
    expected = {one.uuid: one.parent_uuid for one in saved.children}
    expected = {uuid: new.uuid if parent == saved.stale.uuid else parent for uuid, parent in expected.items()}
    return [
        f"child provider {one.label} is below {parents[one.uuid]}, not below {expected[one.uuid]}"
        for one in saved.children
        if one.uuid in parents and parents[one.uuid] != expected[one.uuid]
    ]


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
    differences += _children_astray(saved, seen, new)
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
