"""Take a snapshot of a host and plan its recovery."""

from __future__ import annotations

from dataclasses import replace
from typing import Tuple

from placement_recovery.automation.cooldown import cooling
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.errors import HostFailure, InvalidInput
from placement_recovery.names import check_host_name
from placement_recovery.plan.case import APPROVED, Request, Surroundings
from placement_recovery.plan.diagnosis import STALE_PROVIDER, diagnose
from placement_recovery.plan.plan import Plan, make_plan
from placement_recovery.records.journal import unfinished
from placement_recovery.recovery.context import Context


def plan_recovery(context: Context, requested_name: str, request: Request) -> Tuple[Snapshot, Plan]:
    """Plan for a host or node, from a fresh snapshot. Writes nothing; the way to restart is tried harmlessly."""
    check_host_name(requested_name)
    if request.method == APPROVED and not request.approve:
        raise InvalidInput(f"method {APPROVED} needs the digest of a plan that was shown; give it as approve")
    snapshot = context.reader.snapshot(requested_name)
    around = _surroundings(context, snapshot, request.automatic)
    return snapshot, make_plan(snapshot, request, context.config, around)


def _surroundings(context: Context, snapshot: Snapshot, automatic: bool) -> Surroundings:
    host = snapshot.hypervisor.host if snapshot.hypervisor else snapshot.requested_name
    open_ones = unfinished(context.store, host)
    cooldown = context.config.cooldown
    around = Surroundings(
        unfinished=open_ones[-1].id if open_ones else "",
        cooling=cooling(context.store, context.clock, cooldown, host) if automatic else "",
    )
    if around.cooling or diagnose(snapshot).finding != STALE_PROVIDER:
        return around
    try:
        return replace(around, restart_way=context.restarter.probe(host))
    except HostFailure as error:
        return replace(around, restart_problem=f"the way to restart nova-compute was tried and fails: {error}")
