"""Take a snapshot of a host and plan its recovery."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Optional, Tuple

from placement_recovery.automation.cooldown import cooling
from placement_recovery.clock import Clock
from placement_recovery.cloud.model import LOCK_PREFIX, Hypervisor, Provider, recovery_of_lock
from placement_recovery.cloud.reader import Known
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.config import Config
from placement_recovery.errors import HostFailure, InvalidInput
from placement_recovery.names import as_typed, check_host_name
from placement_recovery.plan.case import Request, Surroundings
from placement_recovery.plan.diagnosis import RECOVERABLE, STALE_PROVIDER, diagnose
from placement_recovery.plan.method import APPROVED, TRANSPLANT
from placement_recovery.plan.plan import NEEDS_APPROVAL, READY, Plan, make_plan, skipped_plan
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import readable_progress, unfinished
from placement_recovery.records.planned import keep_planned
from placement_recovery.records.record import OPEN
from placement_recovery.records.stores.base import Store
from placement_recovery.recovery.context import Context

# Of a host's transplants that have ended, the newest whose late writes are looked for.
MOST_ENDED = 3
# Nova's highest microversion in 2026.1, the first by which Placement is known to be 14.0 (2025.2) or later.
WRITES_UNCHANGED = (2, 101)


def plan_recovery(
    context: Context, requested_name: str, request: Request, known: Optional[Known] = None
) -> Tuple[Snapshot, Plan]:
    """Plan for a host or node, from a fresh snapshot. Writes nothing; the way to restart is tried harmlessly.

    Consumers that `known` tells are read again only where they changed.
    """
    requested_name = as_typed(requested_name)
    skipped = skip(context.config, context.store, context.clock, requested_name, request)
    if skipped:
        return Snapshot(requested_name, (), (), service=None, matches=()), skipped
    if request.method == APPROVED and not request.approve:
        raise InvalidInput(f"method {APPROVED} needs the digest of a plan that was shown; give it as approve")
    snapshot = _with_set_aside(context, context.reader.snapshot(requested_name, known=known))
    around = _surroundings(context, snapshot, request)
    return snapshot, make_plan(snapshot, request, context.config, around)


def skip(config: Config, store: Store, clock: Clock, requested_name: str, request: Request) -> Optional[Plan]:
    """The plan of a trigger that comes too early, which the store alone tells; None where it does not."""
    check_host_name(requested_name)
    waits = cooling(store, clock, config.cooldown, requested_name) if request.automatic else ""
    return skipped_plan(requested_name, request, waits) if waits else None


def plan_ahead(context: Context, requested_name: str, request: Request) -> Plan:
    """The same plan, for a recovery that may follow in another process: what was read of the consumers is kept for it.

    The cloud is only read.
    """
    snapshot, plan = plan_recovery(context, requested_name, request)
    if plan.state in (READY, NEEDS_APPROVAL):
        keep_planned(context.store, context.clock, plan.stale_provider, snapshot.consumers)
    return plan


def _with_set_aside(context: Context, snapshot: Snapshot) -> Snapshot:
    """A root that a transplant renamed and did not finish hides behind a healthy name, or behind none."""
    hypervisor = snapshot.hypervisor
    if hypervisor is None or diagnose(snapshot).finding == STALE_PROVIDER:
        return snapshot
    root = _find_set_aside(context, hypervisor)
    return context.reader.complete_set_aside(snapshot, root) if root else snapshot


def _find_set_aside(context: Context, hypervisor: Hypervisor) -> Optional[Provider]:
    """By its lock where its record was lost; by its name where its recovery has ended, and a late rename came after.

    One request where nothing is locked and no transplant of this host has ended.
    """
    progress, _ = readable_progress(context.store)
    known = {one.id for one in progress}
    locks = {recovery_of_lock(one) for one in context.placement.list_traits(LOCK_PREFIX)}
    own = (one for one in progress if (one.host, one.method) == (hypervisor.host, TRANSPLANT))
    ended = [one.id for one in own if one.state != OPEN]
    for recovery in (*sorted(locks - known), *ended[-MOST_ENDED:]):
        found = context.reader.find_provider_by_name(stale_name(hypervisor.node, recovery))
        if found is not None:
            return found
    return None


def _surroundings(context: Context, snapshot: Snapshot, request: Request) -> Surroundings:
    host = snapshot.hypervisor.host if snapshot.hypervisor else snapshot.requested_name
    open_ones = unfinished(context.store, host)
    cooldown = context.config.cooldown
    around = Surroundings(
        unfinished=open_ones[-1].id if open_ones else "",
        cooling=cooling(context.store, context.clock, cooldown, host) if request.automatic else "",
    )
    if around.cooling or diagnose(snapshot).finding not in RECOVERABLE:
        return around
    crowded = overcommitted_elsewhere(context, snapshot) if context.nova.offered < WRITES_UNCHANGED else {}
    around = replace(
        around, compute_api=context.nova.offered, crowded=crowded, reparents=context.placement.reparents
    )
    return around if request.method == TRANSPLANT else _with_probe(context, host, around)


def _with_probe(context: Context, host: str, around: Surroundings) -> Surroundings:
    try:
        return replace(around, restart_way=context.restarter.probe(host))
    except HostFailure as error:
        return replace(around, restart_problem=f"the way to restart nova-compute was tried and fails: {error}")


def overcommitted_elsewhere(context: Context, snapshot: Snapshot) -> Dict[str, str]:
    """Consumers that also hold an over-committed provider beside the stale root, with the numbers.

    Placement judges all parts of a consumer in one write, and before 14.0 refuses an over-committed one also where it
    does not change; only the new root can be widened.
    """
    root = tuple(one.uuid for one in snapshot.tree[:1])
    parts = {one.uuid: one.without(root) for one in snapshot.consumers if one.on(root) and one.without(root)}
    foreign = sorted({uuid for part in parts.values() for uuid in part})
    crowded = dict(zip(foreign, context.reader.each(context.placement.overcommitted, foreign)))
    return {
        f"consumer {consumer}": f"provider {uuid}, where {crowded[uuid][name]}: Placement may refuse to write it. "
        f"Make room there, or raise its ratio, first"
        for consumer, part in parts.items()
        for uuid, amounts in part.items()
        for name in amounts
        if name in crowded[uuid]
    }
