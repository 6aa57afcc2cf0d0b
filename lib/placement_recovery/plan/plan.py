"""The plan: what a recovery of one host would do, and whether it may. Pure data; making it writes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Tuple

from placement_recovery.cloud.model import as_dict
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.config import Config
from placement_recovery.plan.approvals import asked_for, to_approve
from placement_recovery.plan.capacity import Demand, demands
from placement_recovery.plan.case import Case, Request, Surroundings
from placement_recovery.plan.consumers import DROP, KEEP, Decision, decide, decide_by_method, view_of
from placement_recovery.plan.diagnosis import HEALTHY, NOT_LOOKED_AT, RECOVERABLE, Diagnosis, diagnose
from placement_recovery.plan.method import APPROVED, METHODS
from placement_recovery.plan.risks import notes, refusals, unfinished_refusal

HEALTHY_STATE = "healthy"
REFUSED = "refused"
NEEDS_APPROVAL = "needs_approval"
READY = "ready"
SKIPPED = "skipped"

# Enough of a digest to approve by: short to type, and still 1 in 16 million to hit another plan's.
LEAST_DIGEST = 6
DIGEST = 12


@dataclass(frozen=True)
class Plan:
    """Diagnosis, one decision a consumer, capacity, and what speaks against it.

    `refusals` forbid it, `approvals` ask for a person, `notes` are worth knowing; `cooling` says why a trigger's run
    does nothing just now. `digest` is that of all that the person approves: host, stale provider, method, dispositions,
    amounts and what needs approval, but no generations and no times.
    """

    requested_name: str
    host: str
    node: str
    method: str
    unknown: str
    diagnosis: Diagnosis
    stale_provider: str = ""
    new_provider: str = ""
    stale_tree: Tuple[str, ...] = ()
    decisions: Tuple[Decision, ...] = ()
    capacity: Tuple[Demand, ...] = ()
    refusals: Tuple[str, ...] = ()
    approvals: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    digest: str = ""
    approved: bool = False
    cooling: str = ""

    @property
    def state(self) -> str:
        """One of healthy, skipped, refused, needs_approval and ready."""
        if self.diagnosis.finding == HEALTHY and not self.refusals:
            return HEALTHY_STATE
        if self.cooling:
            return SKIPPED
        if self.refusals:
            return REFUSED
        return NEEDS_APPROVAL if self.approvals and not self.approved else READY

    def with_disposition(self, disposition: str) -> Tuple[Decision, ...]:
        """The decisions of one disposition, in the consumers' order."""
        return tuple(one for one in self.decisions if one.disposition == disposition)

    def to_dict(self) -> Dict[str, Any]:
        """Plain JSON values, with the state; of each consumer only what it holds here, and where else it holds."""
        decisions = [_described(one, self.stale_tree) for one in self.decisions]
        return {**as_dict(replace(self, decisions=())), "decisions": decisions, "state": self.state}


def make_plan(snapshot: Snapshot, request: Request, config: Config, around: Surroundings) -> Plan:
    """Plan the recovery of the host in the snapshot.

    With method APPROVED it is the plan that has the approved digest, or the first one where none has it any more.
    """
    diagnosis = diagnose(snapshot)
    hypervisor, stale = snapshot.hypervisor, snapshot.stale
    if diagnosis.finding not in RECOVERABLE or hypervisor is None or stale is None:
        return _nothing_to_do(snapshot, _requests(request)[0], diagnosis, around)
    cases = (
        Case(snapshot, hypervisor, stale, _decisions(snapshot, one), one, config, around) for one in _requests(request)
    )
    plans = [_plan(case, diagnosis) for case in cases]
    return next((one for one in plans if one.approved), plans[0])


def skipped_plan(requested_name: str, request: Request, cooling: str) -> Plan:
    """What becomes of a trigger within the cooldown, without any look at the cloud."""
    diagnosis = Diagnosis(NOT_LOOKED_AT, f"{requested_name} was not looked at: {cooling}")
    return Plan(
        requested_name, requested_name, "", request.method, request.unknown, diagnosis=diagnosis, cooling=cooling
    )


def _requests(request: Request) -> Tuple[Request, ...]:
    """What may be meant; the first of those with the same digest is as good as any."""
    if request.method != APPROVED:
        return (request,)
    return tuple(replace(request, method=method, unknown=unknown) for method in METHODS for unknown in (KEEP, DROP))


def _nothing_to_do(snapshot: Snapshot, request: Request, diagnosis: Diagnosis, around: Surroundings) -> Plan:
    hypervisor = snapshot.hypervisor
    host = hypervisor.host if hypervisor else snapshot.requested_name
    # With its new provider a host looks healthy, though its allocations may still be away.
    stopped = (unfinished_refusal(host, around.unfinished),) if around.unfinished else ()
    return Plan(
        requested_name=snapshot.requested_name,
        host=host,
        node=hypervisor.node if hypervisor else "",
        method=request.method,
        unknown=request.unknown,
        diagnosis=diagnosis,
        refusals=stopped if diagnosis.finding == HEALTHY else (*stopped, diagnosis.explanation),
        cooling=around.cooling,
    )


def _plan(case: Case, diagnosis: Diagnosis) -> Plan:
    to_be_approved = to_approve(case)
    digest = _digest(case, to_be_approved)
    approved = matches_digest(case.request.approve, digest)
    return Plan(
        requested_name=case.snapshot.requested_name,
        host=case.hypervisor.host,
        node=case.hypervisor.node,
        method=case.request.method,
        unknown=case.request.unknown,
        diagnosis=diagnosis,
        stale_provider=case.stale.uuid,
        stale_tree=case.tree,
        new_provider=case.hypervisor.uuid,
        decisions=case.decisions,
        capacity=demands(case.kept.values(), case.stale.inventories),
        refusals=tuple(refusals(case)),
        approvals=(*to_be_approved.values(), *asked_for(case, approved)),
        notes=tuple(notes(case)),
        digest=digest,
        approved=approved,
        cooling=case.around.cooling,
    )


def _decisions(snapshot: Snapshot, request: Request) -> Tuple[Decision, ...]:
    view = view_of(snapshot, request.unknown)
    found = [decide(consumer, view) for consumer in snapshot.consumers]
    return tuple(sorted((decide_by_method(one, view, request.method) for one in found), key=lambda one: one.uuid))


def _described(decision: Decision, tree: Tuple[str, ...]) -> Dict[str, Any]:
    described = {**as_dict(decision), "consumer": decision.uuid, "resources": decision.consumer.on(tree)}
    return {**described, "elsewhere": sorted(decision.consumer.without(tree))}


def _digest(case: Case, to_be_approved: Iterable[str]) -> str:
    parts = [[one.uuid, one.kind, one.disposition, one.consumer.on(case.tree)] for one in case.decisions]
    what = [case.hypervisor.host, case.stale.uuid, case.request.method, parts, sorted(to_be_approved)]
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST]


def matches_digest(given: str, digest: str) -> bool:
    """Whether a digest that was typed, perhaps shortened to 6 characters, is this one."""
    typed = given.strip().lower()
    return len(typed) >= LEAST_DIGEST and digest.startswith(typed)
