"""Plans and recoveries, as StackStorm's actions ask for them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Dict, Optional

from placement_recovery import commands
from placement_recovery.audit.findings import DISABLED_SERVICE, ORPHANED_LOCK, WORDS, Finding
from placement_recovery.audit.remnants import remnant_findings
from placement_recovery.clock import Clock
from placement_recovery.config import Config
from placement_recovery.entry.parameters import check_one_of
from placement_recovery.entry.results import ActionResult, with_context, with_store
from placement_recovery.errors import ApiFailure, ConfigurationError, InvalidInput
from placement_recovery.names import as_typed
from placement_recovery.plan.brief import brief, inert
from placement_recovery.plan.case import Request
from placement_recovery.plan.plan import Plan
from placement_recovery.plan.report import SHOWN_DIGEST, next_step, render, summary
from placement_recovery.records.journal import find_open
from placement_recovery.records.record import Saved
from placement_recovery.records.stores import Store
from placement_recovery.recovery.context import Context, open_context
from placement_recovery.recovery.engine import StepResult, run_step, step_result
from placement_recovery.recovery.overview import Row, remnant_row, show_all, show_one
from placement_recovery.recovery.planning import plan_ahead, plan_recovery, skip
from placement_recovery.recovery.recreation import recreate_children
from placement_recovery.recovery.service import give_back_service_early
from placement_recovery.recovery.steps.restart_nova_compute import restart_host
from placement_recovery.recovery.steps.save_allocations import open_recovery

# Of one host's, where its plan is what is asked for; show_recoveries shows all.
MOST_RECOVERIES = 5
# A cloud that hangs must not keep the records from who asks for them.
LOOK_SECONDS = 10
# What an ended recovery may have left in the cloud, or one whose record is gone.
REMNANTS = (DISABLED_SERVICE, ORPHANED_LOCK)


def step(action: Any, name: str, recovery_id: str, attempt: str = "") -> ActionResult:
    """Do one step of a recovery; `name` as in SEQUENCES, `attempt` as the first step of the run gave it."""
    return with_context(action, lambda context: asdict(run_step(context, recovery_id, name, attempt)), recovery_id)


def plan(action: Any, host: str, request: Request) -> ActionResult:
    """Plan, and show the plan. A refusal is a result here, not a failure.

    A trigger within the cooldown costs the cloud nothing.
    """

    def first(config: Config, store: Store) -> Optional[Dict[str, Any]]:
        skipped = skip(config, store, Clock(), as_typed(host), request)
        return planned(skipped) if skipped else None

    return with_context(action, lambda context: planned(plan_ahead(context, host, request)), first=first)


def planned(made: Plan) -> Dict[str, Any]:
    """A plan as an action's result."""
    return {
        "summary": inert(summary(made)),
        "state": made.state,
        "finding": made.diagnosis.finding,
        "host": made.host,
        "method": made.method,
        "unknown": made.unknown,
        "digest": made.digest[:SHOWN_DIGEST],
        "next": next_step(made),
        "brief": inert(brief(made)),
        "text": render(made),
        "plan": made.to_dict(),
    }


def show_host(action: Any, host: str) -> ActionResult:
    """What ails a host, what a recovery would do, and its recoveries: the unfinished ones first."""

    def call(context: Context) -> Dict[str, Any]:
        result = planned(plan_recovery(context, host, Request())[1])
        found = show_all(context.store, result["host"])["recoveries"]
        return {**result, "recoveries": found[:MOST_RECOVERIES], "left_out": max(len(found) - MOST_RECOVERIES, 0)}

    return with_context(action, call)


def save(action: Any, host: str, request: Request, recovery_id: str, started_by: str) -> ActionResult:
    """Open a recovery; with the id of one that is open already, only see that it is saved, and is the one meant."""

    def call(context: Context) -> Dict[str, Any]:
        if recovery_id:
            _check_meant(context.journal(recovery_id).saved, host, request.method)
            return asdict(run_step(context, recovery_id, "save_allocations"))
        journal, said = open_recovery(context, host, request, started_by)
        return asdict(step_result(journal, said))

    return with_context(action, call, recovery_id)


def _check_meant(saved: Saved, host: str, method: str) -> None:
    if as_typed(host) not in (saved.host, saved.node, saved.requested_name) or method != saved.method:
        raise InvalidInput(
            f"recovery {saved.id} belongs to {saved.host} by {saved.method}, not of {host} by {method}: nothing is "
            f"done. Resume it by its id alone, with resume_recovery"
        )


def set_service(action: Any, recovery_id: str, enabled: bool, attempt: str = "") -> ActionResult:
    """Disable the compute service for a recovery, or give it back as it was."""
    if not enabled:
        return step(action, "disable_compute_service", recovery_id, attempt)

    def call(context: Context) -> Dict[str, Any]:
        journal = context.journal(recovery_id)
        journal.check_attempt(attempt)
        return asdict(step_result(journal, give_back_service_early(context, journal)))

    return with_context(action, call, recovery_id)


def restart(
    action: Any, recovery_id: str, host: str, attempt: str = "", accept_loss: bool = False
) -> ActionResult:
    """Restart nova-compute where a recovery needs it, or of a host at once."""
    if recovery_id and not host:
        return step(action, "restart_nova_compute", recovery_id, attempt)

    def call(context: Context) -> Dict[str, Any]:
        check_one_of("recovery_id", recovery_id, "host", host)
        return asdict(StepResult(restart_host(context, host, accept_loss), "", "restarted", ""))

    return with_context(action, call)


def recreate(action: Any, recovery_id: str, approve: str = "") -> ActionResult:
    """Show which children nova-compute would recreate; with the digest of that, let it recreate them."""

    def call(context: Context) -> Dict[str, Any]:
        made = recreate_children(context, context.journal(recovery_id), approve)
        way = commands.resume(recovery_id) if made.done else commands.recreate_children(recovery_id, made.digest)
        return {
            "summary": made.summary,
            "recovery_id": recovery_id,
            "state": "open" if made.done else "needs_approval",
            "digest": made.digest,
            "next": way,
            "children": [{"name": one.name, "uuid": one.uuid} for one in made.children],
        }

    return with_context(action, call, recovery_id)


def recoveries(action: Any, recovery_id: str, host: str) -> ActionResult:
    """All recoveries and what they have left behind, or one of them. While the cloud is away, the records still."""

    def call(store: Store) -> Dict[str, Any]:
        if recovery_id:
            return show_one(store, Clock(), recovery_id)
        try:
            config = Config.from_mapping(action.config or {})
            hasty = replace(config, request_timeout=min(config.request_timeout, LOOK_SECONDS))
            context = open_context(hasty, action.action_service)
            found = remnant_findings(context, context.nova.services())
        except (ApiFailure, ConfigurationError) as error:
            return show_all(store, host, unseen=f"disabled services and locks were not looked for: {error}")
        remnants = [one for one in found if one.kind in REMNANTS and host in ("", one.host)]
        return show_all(store, host, [_remnant(one) for one in remnants])

    return with_store(action, call, recovery_id)


def _remnant(finding: Finding) -> Row:
    return remnant_row(finding.subject, finding.host, WORDS[finding.kind][0], finding.next)


def unfinished_recovery(action: Any, recovery_id: str, host: str) -> ActionResult:
    """The recovery to resume: by its id, or the open one of a host; with neither, all that are unfinished."""

    def call(store: Store) -> Dict[str, Any]:
        if not recovery_id and not host:
            return {**show_all(store, only_open=True), "recovery_id": ""}
        check_one_of("recovery_id", recovery_id, "host", host)
        return show_one(store, Clock(), recovery_id or find_open(store, as_typed(host)))

    return with_store(action, call, recovery_id)
