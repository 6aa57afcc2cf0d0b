"""save_allocations: plan anew, compare with what was approved, and store all that may have to be brought back."""

from __future__ import annotations

from functools import partial
from typing import Tuple

from placement_recovery import commands
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.errors import NotNeeded, PlanChanged, RecoveryUnderWay, Refused
from placement_recovery.plan.case import Request
from placement_recovery.plan.plan import HEALTHY_STATE, REFUSED, Plan, matches_digest
from placement_recovery.plan.report import SHOWN_DIGEST, next_step
from placement_recovery.records.journal import Journal, new_id, unfinished
from placement_recovery.records.planned import forget_planned, planned_consumers
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.methods import SAVE_ALLOCATIONS
from placement_recovery.recovery.planning import plan_recovery


def open_recovery(context: Context, requested_name: str, request: Request, started_by: str) -> Tuple[Journal, str]:
    """Open a recovery for the plan whose digest is `request.approve`; return its journal and a summary.

    Raises Refused where a fresh plan forbids it (RecoveryUnderWay and NotNeeded tell why), PlanChanged where the digest
    is not that of a fresh plan.
    """
    snapshot, plan = plan_recovery(
        context, requested_name, request, known=partial(planned_consumers, context.store, context.clock)
    )
    _check(context, plan, request.approve)
    saved = _saved(context, snapshot, plan, started_by)
    journal = Journal.open(context.store, context.clock, saved)
    forget_planned(context.store, saved.stale.uuid)
    summary = f"recovery {saved.id}: {len(saved.consumers)} consumers of provider {saved.stale.uuid} are saved"
    journal.intend(SAVE_ALLOCATIONS.name)
    journal.done(SAVE_ALLOCATIONS.name, summary)
    return journal, summary


def save_allocations(context: Context, journal: Journal) -> str:
    """The same of a recovery that is open already: begin a new attempt at it."""
    journal.take_over(SAVE_ALLOCATIONS.name)
    return f"recovery {journal.saved.id} has its {len(journal.saved.consumers)} consumers saved already"


def _check(context: Context, plan: Plan, digest: str) -> None:
    if unfinished(context.store, plan.host):
        raise RecoveryUnderWay(f"{plan.host} is not recovered: {'; '.join(plan.refusals)}")
    if plan.state == HEALTHY_STATE:
        raise NotNeeded(f"{plan.host} is healthy, there is nothing to recover: {plan.diagnosis.explanation}")
    if plan.state == REFUSED:
        raise Refused(f"{plan.host} is not recovered: {'; '.join(plan.refusals)}")
    if not matches_digest(digest, plan.digest):
        given = f"the digest {digest} is not that of the current plan" if digest else "no digest was given"
        raise PlanChanged(
            f"{plan.host} is not recovered: {given}, which is {plan.digest[:SHOWN_DIGEST]}. Look at "
            f"'{commands.plan(plan.requested_name, plan.method)}', then: "
            f"{next_step(plan)}"
        )


def _saved(context: Context, snapshot: Snapshot, plan: Plan, started_by: str) -> Saved:
    assert snapshot.service is not None
    return Saved(
        id=new_id(plan.host),
        created_at=context.clock.now(),
        started_by=started_by,
        requested_name=plan.requested_name,
        host=plan.host,
        node=plan.node,
        method=plan.method,
        unknown=plan.unknown,
        digest=plan.digest,
        cloud=context.identity,
        findings=(plan.diagnosis.explanation, *plan.approvals, *plan.notes),
        new_provider=plan.new_provider,
        service=snapshot.service,
        tree=snapshot.tree,
        consumers=plan.decisions,
        takes_over=next(iter(snapshot.set_aside.locked_by), "") if snapshot.set_aside else "",
    )
