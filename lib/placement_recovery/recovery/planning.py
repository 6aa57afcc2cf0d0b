"""Take a snapshot and plan; and look again, right before something is taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import Tuple

from placement_recovery.errors import HostFailure, InvalidInput, StepFailed
from placement_recovery.host.names import check_host_name
from placement_recovery.plan.case import APPROVED, Request, Surroundings
from placement_recovery.plan.diagnosis import STALE_PROVIDER, diagnose
from placement_recovery.plan.plan import Plan, make_plan
from placement_recovery.record.journal import unfinished
from placement_recovery.record.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.cooldown import cooling
from placement_recovery.snapshot import Snapshot


def plan_recovery(context: Context, asked: str, request: Request) -> Tuple[Snapshot, Plan]:
    """Plan for a host or node, from a fresh snapshot. Writes nothing; the way to restart is tried harmlessly."""
    check_host_name(asked)
    if request.method == APPROVED and not request.approve:
        raise InvalidInput(f"method {APPROVED} needs the digest of a plan that was shown; give it as approve")
    snapshot = context.reader.snapshot(asked)
    around = _surroundings(context, snapshot, request.automatic)
    return snapshot, make_plan(snapshot, request, context.config, around)


def _surroundings(context: Context, snapshot: Snapshot, automatic: bool) -> Surroundings:
    host = snapshot.hypervisor.host if snapshot.hypervisor else snapshot.asked
    open_ones = unfinished(context.store, host)
    around = Surroundings(
        unfinished=open_ones[-1].id if open_ones else "", cooling=cooling(context, host) if automatic else ""
    )
    if around.cooling or diagnose(snapshot).finding != STALE_PROVIDER:
        return around
    try:
        return replace(around, restart_way=context.restarter.probe(host))
    except HostFailure as error:
        return replace(around, restart_problem=f"the way to restart nova-compute was tried and fails: {error}")


def prove_again(context: Context, saved: Saved, holders: bool) -> Snapshot:
    """A fresh snapshot (with the consumers, if `holders`) in which the same provider is still proven to be stale.

    Raises StepFailed where it is not, or where the host was fenced or died since.
    """
    snapshot = context.reader.snapshot(saved.asked, holders)
    diagnosis = diagnose(snapshot)
    if diagnosis.finding != STALE_PROVIDER or snapshot.named is None or snapshot.named.uuid != saved.stale.uuid:
        raise StepFailed(
            f"provider {saved.stale.uuid} of {saved.host} is no longer proven to be stale, so it is not touched: "
            f"{diagnosis.explanation}"
        )
    service = snapshot.service
    if service is None or service.forced_down or service.state != "up":
        seen = "gone" if service is None else "forced down" if service.forced_down else service.state
        raise StepFailed(f"the compute service of {saved.host} is {seen} now; nothing is taken away while it is")
    return snapshot
