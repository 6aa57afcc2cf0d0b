"""The rules: StackStorm registers one whose action, fields or parameters do not exist, and fails when it matches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2

from lab.checks.metadata import metadata_problems
from lab.checks.subject import Subject
from lab.stackstorm import schema
from lab.stackstorm.pack import CORE_ACTIONS, RUNNERS
from lab.stackstorm.parameters import is_template, names_in
from lab.stackstorm.rules import OPERATORS, STOCK, TriggerType

# st2common/models/api/rule.py, RuleAPI; description and enabled (false by default) are required by this project.
_ACTION = {"ref": {"type": "string", "required": True}, "parameters": {"type": "object"}}
_TRIGGER = {"type": {"type": "string", "required": True}, "parameters": {"type": "object"}}
_METADATA: dict[str, Any] = {
    "name": {"type": "string", "required": True},
    "pack": {"type": "string", "required": True},
    "description": {"type": "string", "required": True},
    "enabled": {"type": "boolean", "required": True},
    "trigger": {"type": "object", "properties": _TRIGGER, "additionalProperties": False, "required": True},
    "criteria": {"type": "object"},
    "action": {"type": "object", "properties": _ACTION, "additionalProperties": False, "required": True},
    "type": {"type": "object"},
    "tags": {"type": "array", "items": {"type": "object"}},
}
# contrib/core/actions/sendmail.yaml
_MAIL = {name: {"type": "string"} for name in ("sendmail_binary", "from", "content_type", "attachments")}
_STOCK_ACTIONS: Mapping[str, Mapping[str, Any]] = {
    **{ref: action.parameters for ref, action in CORE_ACTIONS.items()},
    "core.sendmail": {**_MAIL, **{name: {"type": "string", "required": True} for name in ("to", "subject", "body")}},
}
# st2common/util/param.py, _create_graph; trigger is the enforcer's.
_KNOWN = {"trigger", "st2kv", "action_context", "config_context"}


def rules_are_known_to_stackstorm(subject: Subject) -> list[str]:
    """No unknown keys, the name of the file and of the pack."""
    return metadata_problems(subject, subject.rules, _METADATA)


def triggers_of_rules_exist(subject: Subject) -> list[str]:
    """The trigger is the pack's or a stock one, and has the parameters that it is given."""
    found = []
    for path, rule in subject.rules.items():
        name = _part(rule, "trigger").get("type")
        trigger = _triggers(subject).get(str(name))
        if trigger is None:
            found.append(f"{path}: the trigger {name} is neither in triggers/ nor a stock one that is known here")
            continue
        try:
            schema.validate(_part(rule, "trigger").get("parameters") or {}, trigger.parameters)
        except schema.Invalid as error:
            found.append(f"{path}: trigger: {error}")
    return found


def criteria_can_be_met(subject: Subject) -> list[str]:
    """Each criterion names a field of the payload, an operator and a pattern (validators/api/reactor.py)."""
    found = []
    for path, rule in subject.rules.items():
        trigger = _triggers(subject).get(str(_part(rule, "trigger").get("type")))
        for key, criterion in (rule.get("criteria") or {}).items():
            problems = [] if trigger is None else _unknown_fields(key, trigger)
            given = criterion if isinstance(criterion, dict) else {}
            if not key.startswith("trigger."):
                problems.append("does not begin with trigger.")
            if given.get("type") not in OPERATORS:
                problems.append(f"the operator {given.get('type')!r} is not one that is known here")
            if given.get("pattern") is None:
                problems.append("has no pattern, which StackStorm refuses")
            found += [f"{path}: criterion {key}: {problem}" for problem in problems]
    return found


def actions_of_rules_exist(subject: Subject) -> list[str]:
    """The action exists and is enabled, has each parameter that it is given, and gets each that it requires."""
    found = []
    for path, rule in subject.rules.items():
        name, given = str(_part(rule, "action").get("ref")), _part(rule, "action").get("parameters") or {}
        known = _parameters_of(subject, name)
        if known is None:
            found.append(f"{path}: the action {name} does not exist, or is disabled")
            continue
        needed = {one for one, spec in known.items() if spec.get("required") and "default" not in spec}
        found += [f"{path}: the action {name} is not given {one}" for one in sorted(needed - set(given))]
        found += [f"{path}: the action {name} takes no {one}" for one in sorted(set(given) - set(known))]
        found += [f"{path}: {one} of {name} is immutable" for one in given if known.get(one, {}).get("immutable")]
        found += [f"{path}: {problem}" for problem in _wrong_values(given, known)]
    return found


def templates_of_rules_can_be_rendered(subject: Subject) -> list[str]:
    """A template uses only variables that StackStorm provides and fields of the trigger's payload."""
    found = []
    for path, rule in subject.rules.items():
        trigger = _triggers(subject).get(str(_part(rule, "trigger").get("type")))
        for text in _templates(_part(rule, "action").get("parameters")):
            try:
                names = names_in(text)
            except jinja2.TemplateSyntaxError as error:
                found.append(f"{path}: {text!r}: {error}")
                continue
            problems = [f"nobody gives it {name}" for name in sorted(names - _KNOWN)]
            problems += [] if trigger is None else _unknown_fields(text, trigger)
            found += [f"{path}: {text!r}: {problem}" for problem in problems]
    return found


def _triggers(subject: Subject) -> dict[str, TriggerType]:
    found = dict(STOCK)
    for document in subject.triggers.values():
        ref = f"{subject.ref}.{document.get('name')}"
        schemas = (document.get(name) or {} for name in ("payload_schema", "parameters_schema"))
        found[ref] = TriggerType(ref, *(one.get("properties") or {} for one in schemas))
    return found


def _part(rule: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = rule.get(name)
    return found if isinstance(found, dict) else {}


def _unknown_fields(text: str, trigger: TriggerType) -> list[str]:
    named = re.findall(r"(?<![\w.])trigger\.(\w+)", text)
    return [f"the payload of {trigger.ref} has no field {one}" for one in named if one not in trigger.payload]


def _parameters_of(subject: Subject, ref: str) -> Mapping[str, Any] | None:
    if ref in _STOCK_ACTIONS:
        return _STOCK_ACTIONS[ref]
    for metadata in subject.actions.values():
        if ref == f"{subject.ref}.{metadata.get('name')}" and metadata.get("enabled", True):
            return {**RUNNERS.get(str(metadata.get("runner_type")), {}), **(metadata.get("parameters") or {})}
    return None


def _wrong_values(given: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    plain = {name: value for name, value in given.items() if name in known and not any(_templates(value))}
    try:
        schema.validate(plain, {name: {**known[name], "required": False} for name in plain})
    except schema.Invalid as error:
        return [f"action: {error}"]
    return []


def _templates(value: Any) -> Iterator[str]:
    if isinstance(value, str) and is_template(value):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _templates(item)
