"""Emits the pack's triggers from an action, by StackStorm's API.

Facts of StackStorm 3.8.0 to 3.9.0: st2common/services/datastore.py (an action's client), st2client/models/core.py
(WebhookManager), st2api/controllers/v1/webhooks.py, st2common/validators/api/reactor.py.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, Mapping

import yaml
from jsonschema import Draft3Validator, Draft4Validator, validators

from placement_recovery.errors import DispatchFailed, InvalidInput

PACK = "placement_recovery"
PROVIDER_CREATION_FAILED = f"{PACK}.provider_creation_failed"

# What provider_creation_failed may say of its source.
FROM_LOG = "log"
FROM_ALERT = "alert"
FROM_AUDIT = "audit"

# Of triggers that did not go out, those that are told with the reason; a result holds all.
MOST_TOLD = 5

# Behind its links the library lies in the pack's folder, also where the pack is installed.
_TRIGGERS = Path(__file__).resolve().parents[2] / "triggers"

# StackStorm's dialect: draft 4, but `required` stands at each property (st2common/util/schema).
_Validator: Any = validators.extend(
    Draft4Validator, {"properties": Draft3Validator.VALIDATORS["properties"], "required": None}
)


def dispatch(action_service: Any, trigger: str, payload: Mapping[str, Any], trace_tag: str) -> None:
    """Emit one of the pack's triggers, by its reference. The user that runs the action needs webhook_send with RBAC.

    Raises InvalidInput for a payload that breaks the trigger's schema, for StackStorm may pass over such a one in
    silence, and DispatchFailed where the API does not take it: then nobody knows whether it went out.
    """
    check_payload(trigger, payload)
    try:
        client = action_service.datastore_service.get_api_client()
        client.webhooks.post_generic_webhook(trigger=trigger, payload=dict(payload), trace_tag=trace_tag)
    except Exception as error:  # of StackStorm's client, which the library does not import
        told = " ".join(str(error).split()) or type(error).__name__
        raise DispatchFailed(
            f"StackStorm's API did not take the trigger {trigger} ({trace_tag}): {told}. See that st2api answers, that "
            f"'st2 trigger get {trigger}' knows it, and (with RBAC) that this user may send webhooks; then run it again"
        ) from error


def dispatch_each(triggers: Mapping[str, Callable[[], None]]) -> Dict[str, str]:
    """Call what dispatches the trigger for each of these hosts; those for which it did not go out, and why.

    One that StackStorm does not take keeps none of the others back.
    """
    failed: Dict[str, str] = {}
    for host, send in triggers.items():
        try:
            send()
        except (DispatchFailed, InvalidInput) as error:
            failed[host] = str(error)
    return failed


def not_dispatched(failed: Mapping[str, str]) -> str:
    """In words, for which hosts no trigger went out, and why."""
    told = [f"{host}: {why}" for host, why in failed.items()]
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return f"{len(failed)} trigger(s) did not go out: {'; '.join([*told[:MOST_TOLD], *more])}"


def check_payload(trigger: str, payload: Mapping[str, Any]) -> None:
    """Raise InvalidInput that names the field, where the payload breaks the schema of this trigger of the pack."""
    errors = sorted(_Validator(_schema(trigger)).iter_errors(dict(payload)), key=lambda one: [*map(str, one.path)])
    if errors:
        place = ".".join(str(part) for part in errors[0].path)
        raise InvalidInput(f"trigger {trigger}: {f'{place}: ' if place else ''}{errors[0].message}; it was not emitted")


@lru_cache(maxsize=None)
def _schema(trigger: str) -> Dict[str, Any]:
    pack, _, name = trigger.partition(".")
    file = _TRIGGERS / f"{name}.yaml"
    if pack != PACK or file.parent != _TRIGGERS or not file.is_file():
        raise InvalidInput(f"{trigger} is no trigger of this pack; {_TRIGGERS} holds all")
    found: Dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["payload_schema"]
    return found
