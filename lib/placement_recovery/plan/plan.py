"""The plan: what a recovery of one host would do, and whether it may. Pure data; making it writes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Dict, Tuple

from placement_recovery.config import Config
from placement_recovery.model import as_dict
from placement_recovery.plan.capacity import Demand, demands
from placement_recovery.plan.case import DISCARD, Case, Request, Surroundings
from placement_recovery.plan.consumers import Decision, decide, give_up, view_of
from placement_recovery.plan.diagnosis import HEALTHY, STALE_PROVIDER, Diagnosis, diagnose
from placement_recovery.plan.risks import approvals, notes, refusals
from placement_recovery.snapshot import Snapshot

HEALTHY_STATE = "healthy"
REFUSED = "refused"
NEEDS_APPROVAL = "needs_approval"
READY = "ready"

# Enough of a digest to approve by: short to type, and still 1 in 16 million to hit another plan's.
LEAST_DIGEST = 6
DIGEST = 12


@dataclass(frozen=True)
class Plan:
    """Diagnosis, one decision a consumer, capacity, and what speaks against it.

    `refusals` forbid it, `approvals` ask for a person, `notes` are worth knowing. `digest` is that of all that the
    person approves: host, stale provider, method, dispositions and amounts, but no generations and no times.
    """

    asked: str
    host: str
    node: str
    method: str
    unknown: str
    diagnosis: Diagnosis
    stale_provider: str = ""
    new_provider: str = ""
    decisions: Tuple[Decision, ...] = ()
    capacity: Tuple[Demand, ...] = ()
    refusals: Tuple[str, ...] = ()
    approvals: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    digest: str = ""
    approved: bool = False

    @property
    def state(self) -> str:
        """One of healthy, refused, needs_approval and ready."""
        if self.diagnosis.finding == HEALTHY:
            return HEALTHY_STATE
        if self.refusals:
            return REFUSED
        return NEEDS_APPROVAL if self.approvals and not self.approved else READY

    def with_disposition(self, disposition: str) -> Tuple[Decision, ...]:
        """The decisions of one disposition, in the consumers' order."""
        return tuple(one for one in self.decisions if one.disposition == disposition)

    def to_dict(self) -> Dict[str, Any]:
        """Plain JSON values, with the state."""
        return {**as_dict(self), "state": self.state}


def make_plan(snapshot: Snapshot, request: Request, config: Config, around: Surroundings) -> Plan:
    """Plan the recovery of the host in the snapshot."""
    diagnosis = diagnose(snapshot)
    hypervisor = snapshot.hypervisor
    if diagnosis.finding != STALE_PROVIDER or hypervisor is None or snapshot.named is None:
        refusals = () if diagnosis.finding == HEALTHY else (diagnosis.explanation,)
        host = hypervisor.host if hypervisor else snapshot.asked
        node = hypervisor.node if hypervisor else ""
        return Plan(snapshot.asked, host, node, request.method, request.unknown, diagnosis, refusals=refusals)
    case = Case(snapshot, hypervisor, snapshot.named, _decisions(snapshot, request), request, config, around)
    return _plan(case, diagnosis)


def _plan(case: Case, diagnosis: Diagnosis) -> Plan:
    digest = _digest(case)
    approved = matches_digest(case.request.approve, digest)
    return Plan(
        asked=case.snapshot.asked,
        host=case.hypervisor.host,
        node=case.hypervisor.node,
        method=case.request.method,
        unknown=case.request.unknown,
        diagnosis=diagnosis,
        stale_provider=case.named.uuid,
        new_provider=case.hypervisor.uuid,
        decisions=case.decisions,
        capacity=demands(case.kept.values(), case.named.inventories),
        refusals=tuple(refusals(case)),
        approvals=tuple(approvals(case, approved)),
        notes=tuple(notes(case)),
        digest=digest,
        approved=approved,
    )


def _decisions(snapshot: Snapshot, request: Request) -> Tuple[Decision, ...]:
    view = view_of(snapshot, request.unknown)
    found = [decide(consumer, view) for consumer in snapshot.consumers]
    chosen = (give_up(one) if request.method == DISCARD else one for one in found)
    return tuple(sorted(chosen, key=lambda one: one.consumer))


def _digest(case: Case) -> str:
    parts = [[one.consumer, one.kind, one.disposition, one.resources] for one in case.decisions]
    what = [case.hypervisor.host, case.named.uuid, case.request.method, parts]
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST]


def matches_digest(given: str, digest: str) -> bool:
    """Whether a digest that was typed, perhaps shortened to 6 characters, is this one."""
    typed = given.strip().lower()
    return len(typed) >= LEAST_DIGEST and digest.startswith(typed)
