"""What stands between StackStorm's actions and the library where a trigger, and no person, starts things."""

from __future__ import annotations

from functools import partial
from typing import Any, Dict

from placement_recovery.audit.audit import Audit, audit
from placement_recovery.audit.nodes import Proven
from placement_recovery.audit.report import report
from placement_recovery.automation.notification import NEEDS_APPROVAL_TRIGGER, EndedRun, notify_outcome
from placement_recovery.clock import Clock
from placement_recovery.config import may_automate
from placement_recovery.detection.alerts import receive
from placement_recovery.entry.results import ActionResult, with_context, with_store, without_context
from placement_recovery.errors import DispatchFailed
from placement_recovery.records.stores import Store
from placement_recovery.recovery.context import Context
from placement_recovery.triggers import (
    FROM_AUDIT,
    PROVIDER_CREATION_FAILED,
    dispatch,
    dispatch_each,
    not_dispatched,
)


def notify(action: Any, ended: EndedRun) -> ActionResult:
    """The end of a run that a trigger started."""

    def send(payload: Dict[str, Any]) -> None:
        dispatch(action.action_service, NEEDS_APPROVAL_TRIGGER, payload, f"placement_recovery {ended.host}")

    def call(store: Store) -> Dict[str, Any]:
        return {"summary": notify_outcome(store, Clock(), ended, send), "state": ended.state}

    return with_store(action, call)


def receive_alerts(action: Any, body: str) -> ActionResult:
    """Dispatch one trigger per host for what arrived behind the webhook."""

    def send(payload: Dict[str, str], trace_tag: str) -> None:
        dispatch(action.action_service, PROVIDER_CREATION_FAILED, payload, trace_tag)

    return without_context(action, lambda: receive(body, send))


def audit_cloud(action: Any, deep: bool, emit: bool) -> ActionResult:
    """Report on the whole cloud; with `emit` also dispatch a trigger for each proven stale provider."""

    def call(context: Context) -> Dict[str, Any]:
        done = audit(context, deep)
        return _emitted(action, context, done) if emit else {**report(done), "dispatched": []}

    return with_context(action, call)


def _emitted(action: Any, context: Context, done: Audit) -> Dict[str, Any]:
    """The report, with the hosts for which the trigger went out. What automation may not touch would only be refused.

    Raises DispatchFailed, with the whole report, after all were tried of which one was not taken.
    """

    def send(one: Proven) -> None:
        payload = _payload(one, context.clock.now())
        dispatch(action.action_service, PROVIDER_CREATION_FAILED, payload, f"placement_recovery audit {one.name}")

    chosen = [one for one in done.proven if may_automate(context.config, one.hypervisor.host)]
    failed = dispatch_each({one.name: partial(send, one) for one in chosen})
    sent = [one.name for one in chosen if one.name not in failed]
    result = {**report(done), "dispatched": sent}
    summary = f"{result['summary']}; {len(sent)} trigger(s) dispatched"
    if failed:
        raise DispatchFailed(f"{summary}. {not_dispatched(failed)}", {**result, "not_dispatched": failed})
    return {**result, "summary": summary}


def _payload(proven: Proven, now: str) -> Dict[str, str]:
    return {
        "host": proven.name,
        "node": proven.hypervisor.node,
        "provider_name": proven.hypervisor.node,
        "compute_node_uuid": proven.hypervisor.uuid,
        "time": now,
        "request_id": "",
        "file": "",
        "source": FROM_AUDIT,
    }
