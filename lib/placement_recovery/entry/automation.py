"""What stands between StackStorm's actions and the library where a trigger, and no person, starts things."""

from __future__ import annotations

from functools import partial
from typing import Any, Dict

from placement_recovery.audit.audit import Audit, audit
from placement_recovery.audit.nodes import Proven
from placement_recovery.audit.report import report
from placement_recovery.automation.notification import NEEDS_APPROVAL_TRIGGER, EndedRun, notify_outcome
from placement_recovery.clock import Clock
from placement_recovery.config import Config, may_automate
from placement_recovery.detection.alerts import receive
from placement_recovery.detection.payload import FROM_AUDIT, PROVIDER_CREATION_FAILED, ProviderCreationFailed
from placement_recovery.entry.results import ActionResult, with_context, with_store, without_context
from placement_recovery.errors import DispatchFailed
from placement_recovery.records.stores import Store
from placement_recovery.recovery.context import Context
from placement_recovery.triggers import dispatch, dispatch_checked, dispatch_each, not_dispatched


def notify(action: Any, ended: EndedRun) -> ActionResult:
    """The end of a run that a trigger started."""

    def send(payload: Dict[str, Any]) -> None:
        dispatch(action.action_service, NEEDS_APPROVAL_TRIGGER, payload, f"placement_recovery {ended.host}")

    def call(store: Store) -> Dict[str, Any]:
        return {"summary": notify_outcome(store, Clock(), ended, send), "state": ended.state}

    return with_store(action, call)


def receive_alerts(action: Any, body: str) -> ActionResult:
    """Dispatch one trigger per host that the webhook's body names."""

    def call() -> Dict[str, Any]:
        labels = Config.from_mapping(action.config or {}).alert_host_labels
        return receive(body, partial(_dispatch, action), labels)

    return without_context(action, call)


def audit_cloud(action: Any, deep: bool, with_triggers: bool) -> ActionResult:
    """Report on the whole cloud; `with_triggers` also dispatches a trigger for each proven stale provider."""

    def call(context: Context) -> Dict[str, Any]:
        done = audit(context, deep)
        return _dispatch_proven(action, context, done) if with_triggers else {**report(done), "dispatched": []}

    return with_context(action, call)


def _dispatch_proven(action: Any, context: Context, done: Audit) -> Dict[str, Any]:
    """Dispatch a trigger for each proven host that automation may touch; the report, with these hosts.

    Raises DispatchFailed, with the whole report, if a trigger failed; the others are dispatched before.
    """

    def dispatch_one(proven: Proven) -> None:
        _dispatch(action, _payload(proven, context.clock.now()))

    chosen = [one for one in done.proven if may_automate(context.config, one.hypervisor.host)]
    failed = dispatch_each({one.name: partial(dispatch_one, one) for one in chosen})
    dispatched = [one.name for one in chosen if one.name not in failed]
    result = {**report(done), "dispatched": dispatched}
    summary = f"{result['summary']}; {len(dispatched)} trigger(s) dispatched"
    if failed:
        raise DispatchFailed(f"{summary}. {not_dispatched(failed)}", {**result, "not_dispatched": failed})
    return {**result, "summary": summary}


def _payload(proven: Proven, now: str) -> ProviderCreationFailed:
    return ProviderCreationFailed(
        source=FROM_AUDIT,
        host=proven.name,
        node=proven.hypervisor.node,
        provider_name=proven.hypervisor.node,
        compute_node_uuid=proven.hypervisor.uuid,
        time=now,
    )


def _dispatch(action: Any, payload: ProviderCreationFailed) -> None:
    dispatch_checked(action.action_service, PROVIDER_CREATION_FAILED, payload.as_dict(), payload.trace_tag)
