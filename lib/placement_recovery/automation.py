"""What stands between StackStorm's actions and the library where a trigger, and no person, starts things."""

from __future__ import annotations

from typing import Any, Dict

from placement_recovery.actions import Answer, answer_alone, answer_from_store
from placement_recovery.alerts import receive
from placement_recovery.clock import Clock
from placement_recovery.dispatch import PROVIDER_CREATION_FAILED, dispatch
from placement_recovery.store import Store
from placement_recovery.telling import NEEDS_APPROVAL_TRIGGER, Outcome, tell_outcome


def tell(action: Any, outcome: Outcome) -> Answer:
    """The end of a run that a trigger started."""

    def send(payload: Dict[str, Any]) -> None:
        dispatch(action.action_service, NEEDS_APPROVAL_TRIGGER, payload, f"placement_recovery {outcome.host}")

    def call(store: Store) -> Dict[str, Any]:
        return {"summary": tell_outcome(store, Clock(), outcome, send), "state": outcome.state}

    return answer_from_store(action, call)


def receive_alerts(action: Any, body: str) -> Answer:
    """Dispatch one trigger a host for what arrived behind the webhook."""

    def send(payload: Dict[str, str], trace_tag: str) -> None:
        dispatch(action.action_service, PROVIDER_CREATION_FAILED, payload, trace_tag)

    return answer_alone(action, lambda: receive(body, send))
