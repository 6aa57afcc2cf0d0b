"""What stands between StackStorm's actions and the library: configuration in, `(ok, result)` out.

A StackStorm action is handed in; nothing of StackStorm is imported. Every result begins with a `summary` that a person
can read; a failure keeps its result, for StackStorm loses that of an exception.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Callable, Dict, Optional, Tuple

from placement_recovery.audit.findings import DEAD_CLAIM, DISABLED_SERVICE, WORDS, Finding
from placement_recovery.audit.ours import our_findings
from placement_recovery.clock import Clock
from placement_recovery.config import Config
from placement_recovery.errors import (
    ApiFailure,
    ConfigurationError,
    DispatchFailed,
    InvalidInput,
    PlacementRecoveryError,
)
from placement_recovery.model import as_dict
from placement_recovery.plan.brief import brief, inert
from placement_recovery.plan.case import Request
from placement_recovery.plan.plan import Plan
from placement_recovery.plan.report import SHOWN_DIGEST, columns, next_step, render, summary
from placement_recovery.record.journal import find_open
from placement_recovery.record.record import Saved
from placement_recovery.recovery.context import Context, open_context
from placement_recovery.recovery.engine import Result, run_step
from placement_recovery.recovery.overview import Row, left_row, show_all, show_one
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.recovery.save import save_allocations
from placement_recovery.recovery.service import give_back_early
from placement_recovery.recovery.wait import restart_host
from placement_recovery.store import Store, open_store

Answer = Tuple[bool, Dict[str, Any]]

# Of one host's, where its plan is what is asked for; show_recoveries shows all.
MOST_RECOVERIES = 5
# A cloud that hangs must not keep the records from who asks for them.
LOOK_SECONDS = 10
# What an ended recovery may have left in the cloud, or one whose record is gone.
LEFT = (DISABLED_SERVICE, DEAD_CLAIM)


def answer(action: Any, call: Callable[[Context], Dict[str, Any]], recovery_id: str = "") -> Answer:
    """Open the context of an action and return what `call` makes of it; a failure bears the recovery's id too."""
    def opened() -> Dict[str, Any]:
        return call(open_context(Config.from_mapping(action.config or {}), action.action_service))

    return _answered(action, opened, recovery_id)


def answer_from_store(action: Any, call: Callable[[Store], Dict[str, Any]], recovery_id: str = "") -> Answer:
    """The same for what needs the store only, and so works while the cloud is away."""
    def opened() -> Dict[str, Any]:
        return call(open_store(Config.from_mapping(action.config or {}), action.action_service))

    return _answered(action, opened, recovery_id)


def answer_alone(action: Any, call: Callable[[], Dict[str, Any]]) -> Answer:
    """The same for what needs neither the cloud nor the store."""
    return _answered(action, call, "")


def _answered(action: Any, call: Callable[[], Dict[str, Any]], recovery_id: str) -> Answer:
    try:
        return True, call()
    except PlacementRecoveryError as error:
        return False, _failure(error, str(error), recovery_id)
    except Exception as error:  # a defect of ours: the trace goes to the log, the reason still to the person
        action.logger.exception("unexpected")
        told = f"unexpected {type(error).__name__}: {error}. Nothing more was done; show_recoveries tells what stands"
        return False, _failure(error, told, recovery_id)


def _failure(error: Exception, told: str, recovery_id: str) -> Dict[str, Any]:
    done = error.result if isinstance(error, DispatchFailed) else {}
    summary = " ".join(told.split())
    return {**done, "summary": summary, "recovery_id": recovery_id, "state": "failed", "error": type(error).__name__}


def step(action: Any, name: str, recovery_id: str, run: str = "") -> Answer:
    """Do one step of a recovery; `name` as in METHODS, `run` as the run's first step gave it."""
    return answer(action, lambda context: asdict(run_step(context, recovery_id, name, run)), recovery_id)


def plan(action: Any, host: str, request: Request) -> Answer:
    """Plan, and show the plan. A refusal is an answer here, no failure."""
    return answer(action, lambda context: planned(plan_recovery(context, host, request)[1]))


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


def show_host(action: Any, host: str) -> Answer:
    """What ails a host, what a recovery would do, and its recoveries: the unfinished ones first."""

    def call(context: Context) -> Dict[str, Any]:
        result = planned(plan_recovery(context, host, Request())[1])
        found = show_all(context.store, result["host"])["recoveries"]
        return {**result, "recoveries": found[:MOST_RECOVERIES], "left_out": max(len(found) - MOST_RECOVERIES, 0)}

    return answer(action, call)


def save(action: Any, host: str, request: Request, recovery_id: str, started_by: str) -> Answer:
    """Open a recovery; with the id of one that is open already, only see that it is saved, and is the one meant."""

    def call(context: Context) -> Dict[str, Any]:
        if recovery_id:
            _check_meant(context.journal(recovery_id).saved, host, request.method)
            return asdict(run_step(context, recovery_id, "save_allocations"))
        journal, told = save_allocations(context, host, request, started_by)
        return asdict(Result(told, journal.saved.id, journal.progress.state, journal.run))

    return answer(action, call, recovery_id)


def _check_meant(saved: Saved, host: str, method: str) -> None:
    if host not in (saved.host, saved.node, saved.asked) or method != saved.method:
        raise InvalidInput(
            f"recovery {saved.id} is that of {saved.host} by {saved.method}, not of {host} by {method}: nothing is "
            f"done. Resume it by its id alone, with resume_recovery"
        )


def set_service(action: Any, recovery_id: str, enabled: bool, run: str = "") -> Answer:
    """Disable the compute service for a recovery, or give it back as it was."""
    if not enabled:
        return step(action, "disable_compute_service", recovery_id, run)

    def call(context: Context) -> Dict[str, Any]:
        journal = context.journal(recovery_id)
        journal.check_run(run)
        told = give_back_early(context, journal)
        return asdict(Result(told, recovery_id, journal.progress.state, journal.run))

    return answer(action, call, recovery_id)


def restart(action: Any, recovery_id: str, host: str, run: str = "") -> Answer:
    """Restart nova-compute where a recovery needs it, or of a host at once."""
    if recovery_id and not host:
        return step(action, "restart_nova_compute", recovery_id, run)

    def call(context: Context) -> Dict[str, Any]:
        _check_one_of("recovery_id", recovery_id, "host", host)
        return asdict(Result(restart_host(context, host), "", "restarted", ""))

    return answer(action, call)


def recoveries(action: Any, recovery_id: str, host: str) -> Answer:
    """All recoveries and what they have left behind, or one of them. While the cloud is away, the records still."""

    def call(store: Store) -> Dict[str, Any]:
        if recovery_id:
            return show_one(store, Clock(), recovery_id)
        try:
            config = Config.from_mapping(action.config or {})
            hasty = replace(config, request_timeout=min(config.request_timeout, LOOK_SECONDS))
            context = open_context(hasty, action.action_service)
            found = our_findings(context, context.nova.services())
        except (ApiFailure, ConfigurationError) as error:
            return show_all(store, host, unseen=f"disabled services and claims were not looked for: {error}")
        return show_all(store, host, [_left(one) for one in found if one.kind in LEFT and host in ("", one.host)])

    return answer_from_store(action, call, recovery_id)


def _left(finding: Finding) -> Row:
    return left_row(finding.subject, finding.host, WORDS[finding.kind][0], finding.next)


def unfinished_recovery(action: Any, recovery_id: str, host: str) -> Answer:
    """The recovery to resume: by its id, or the open one of a host."""

    def call(store: Store) -> Dict[str, Any]:
        _check_one_of("recovery_id", recovery_id, "host", host)
        return show_one(store, Clock(), recovery_id or find_open(store, host))

    return answer_from_store(action, call, recovery_id)


def providers(action: Any, name: str, uuid: str, in_tree: str) -> Answer:
    """Resource providers with what they carry, filtered as Placement filters them."""
    filters = {key: value for key, value in (("name", name), ("uuid", uuid), ("in_tree", in_tree)) if value}

    def call(context: Context) -> Dict[str, Any]:
        bare = context.placement.list_providers(**filters)
        found = context.reader.each(context.placement.describe, bare) if filters else list(bare)
        rows = [(one.name, one.uuid, str(one.generation), one.parent_uuid or "") for one in found]
        return {
            "summary": f"{len(found)} resource provider(s)",
            "resource_providers": [as_dict(one) for one in found],
            "table": "\n".join(columns([("name", "uuid", "generation", "parent"), *rows])),
        }

    return answer(action, call)


def allocations(action: Any, provider: str, consumer: str) -> Answer:
    """The allocations on a provider (by name or UUID), or all those of a consumer."""

    def call(context: Context) -> Dict[str, Any]:
        _check_one_of("provider", provider, "consumer", consumer)
        if consumer:
            found = [context.placement.show_consumer(consumer)]
            return _consumers(f"consumer {consumer} holds {len(found[0].allocations)} provider(s)", found)
        uuid = _provider_uuid(context, provider)
        found = list(context.reader.consumers([uuid]))
        return {**_consumers(f"{len(found)} consumer(s) hold provider {provider} ({uuid})", found), "provider": uuid}

    return answer(action, call)


def _consumers(told: str, found: Any) -> Dict[str, Any]:
    rows = [
        (one.uuid, uuid, " ".join(f"{name}={amount}" for name, amount in sorted(part.items())))
        for one in found
        for uuid, part in one.allocations.items()
    ]
    return {
        "summary": told,
        "consumers": [as_dict(one) for one in found],
        "table": "\n".join(columns([("consumer", "provider", "resources"), *rows])),
    }


def _provider_uuid(context: Context, provider: str) -> str:
    named: Optional[Any] = context.reader.provider_named(provider)
    if named is not None:
        return str(named.uuid)
    return context.placement.show_provider(provider).uuid


def servers(action: Any, host: str) -> Answer:
    """The servers that Nova has on a host, of all projects."""

    def call(context: Context) -> Dict[str, Any]:
        found = context.nova.servers_on(host)
        rows = [(one.uuid, one.name, one.status, one.task_state, one.node) for one in found]
        return {
            "summary": f"{len(found)} server(s) on host {host}",
            "servers": [as_dict(one) for one in found],
            "table": "\n".join(columns([("uuid", "name", "status", "task", "node"), *rows])),
        }

    return answer(action, call)


def _check_one_of(first: str, one: str, second: str, other: str) -> None:
    if bool(one) == bool(other):
        raise InvalidInput(f"give either {first} or {second}")
