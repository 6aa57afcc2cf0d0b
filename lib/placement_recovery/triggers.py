"""Dispatches the pack's triggers from an action, through StackStorm's API.

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

# Failed triggers that a summary names with the reason; a result holds all.
MOST_NAMED = 5

# The links in actions/ and sensors/ resolve to the pack's own folder, also where the pack is installed.
_TRIGGERS = Path(__file__).resolve().parents[2] / "triggers"

# StackStorm's dialect: draft 4, but `required` stands at each property (st2common/util/schema).
_Validator: Any = validators.extend(
    Draft4Validator, {"properties": Draft3Validator.VALIDATORS["properties"], "required": None}
)


def dispatch(action_service: Any, trigger: str, payload: Mapping[str, Any], trace_tag: str) -> None:
    """Dispatch one of the pack's triggers, by its reference, once its payload meets the trigger's schema.

    Raises InvalidInput for a payload that breaks the schema, because StackStorm may drop it without a word, and
    DispatchFailed as `dispatch_checked`.
    """
    check_payload(trigger, payload)
    dispatch_checked(action_service, trigger, payload, trace_tag)


def dispatch_checked(action_service: Any, trigger: str, payload: Mapping[str, Any], trace_tag: str) -> None:
    """Dispatch a trigger whose payload its own class has checked. With RBAC the action's user needs webhook_send.

    Raises DispatchFailed where the API rejects it or does not answer; in that case it may have been dispatched.
    """
    try:
        client = action_service.datastore_service.get_api_client()
        client.webhooks.post_generic_webhook(trigger=trigger, payload=dict(payload), trace_tag=trace_tag)
    except Exception as error:  # of StackStorm's client, which the library does not import
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DispatchFailed(
            f"StackStorm's API did not accept the trigger {trigger} ({trace_tag}): {reason}. Check that st2api "
            f"answers, that 'st2 trigger get {trigger}' finds it, and (with RBAC) that this user may send webhooks; "
            f"then run the action again"
        ) from error


def dispatch_each(triggers: Mapping[str, Callable[[], None]]) -> Dict[str, str]:
    """Call the function that dispatches the trigger for each host; return the reason for each host where it failed.

    A failure does not hold up the others.
    """
    failed: Dict[str, str] = {}
    for host, dispatch_one in triggers.items():
        try:
            dispatch_one()
        except (DispatchFailed, InvalidInput) as error:
            failed[host] = str(error)
    return failed


def not_dispatched(failed: Mapping[str, str]) -> str:
    """Describe for which hosts no trigger was dispatched, and why."""
    reasons = [f"{host}: {why}" for host, why in failed.items()]
    more = [f"and {len(reasons) - MOST_NAMED} more"] if len(reasons) > MOST_NAMED else []
    return f"{len(failed)} trigger(s) could not be dispatched: {'; '.join([*reasons[:MOST_NAMED], *more])}"


def check_payload(trigger: str, payload: Mapping[str, Any]) -> None:
    """Raise InvalidInput that names the field if the payload breaks the schema of this trigger of the pack."""
    errors = sorted(_Validator(_schema(trigger)).iter_errors(dict(payload)), key=lambda one: [*map(str, one.path)])
    if errors:
        place = "".join(f"{part}: " for part in errors[0].path)
        raise InvalidInput(f"trigger {trigger}: {place}{errors[0].message}; it was not dispatched")


@lru_cache(maxsize=None)
def _schema(trigger: str) -> Dict[str, Any]:
    pack, _, name = trigger.partition(".")
    file = _TRIGGERS / f"{name}.yaml"
    if pack != PACK or file.parent != _TRIGGERS or not file.is_file():
        raise InvalidInput(f"{trigger} is not a trigger of this pack; they are defined in {_TRIGGERS}")
    found: Dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["payload_schema"]
    return found
