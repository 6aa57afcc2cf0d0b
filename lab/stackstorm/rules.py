"""Rules and triggers as StackStorm's rules engine judges them (st2reactor/rules/filter.py, st2common/operators.py).

Of the criteria's operators those are here that the pack's rules use; an unknown one is an error, never a match. What a
rule's action is given is rendered where every action's parameters are, the payload being ``trigger`` (enforcer.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.stackstorm import schema
from lab.stackstorm.pack import PackError, load_document, metadata_files

_ANYTHING: dict[str, Any] = {}
_TIMER_FIELDS = {"executed_at": {"type": "string"}, "schedule": {"type": "object"}}
_ENDED_FIELDS = (
    "execution_id", "status", "start_timestamp", "action_name", "action_ref", "runner_ref", "parameters", "result",
)  # fmt: skip


@dataclass(frozen=True)
class TriggerType:
    """A trigger's two schemas, by property."""

    ref: str
    payload: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    additional: bool = True


# st2common/constants/triggers.py
STOCK: Mapping[str, TriggerType] = {
    one.ref: one
    for one in (
        TriggerType(
            "core.st2.webhook",
            {"headers": {"type": "object"}, "body": {"anyOf": [{"type": "array"}, {"type": "object"}]}},
            {"url": {"type": "string", "required": True}},
        ),
        TriggerType(
            "core.st2.IntervalTimer",
            _TIMER_FIELDS,
            {
                "timezone": {"type": "string"},
                "unit": {"enum": ["weeks", "days", "hours", "minutes", "seconds"], "required": True},
                "delta": {"type": "integer", "required": True},
            },
        ),
        TriggerType("core.st2.generic.actiontrigger", dict.fromkeys(_ENDED_FIELDS, _ANYTHING)),
    )
}


def _equals(value: Any, pattern: Any) -> bool:
    return bool(value == pattern)


def _inside(value: Any, pattern: Any) -> bool:
    return value in pattern


def _regex(value: Any, pattern: Any) -> bool:
    return re.search(pattern, value) is not None


def _exists(value: Any, _pattern: Any) -> bool:
    return value is not None


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _equals, "equals": _equals, "in": _inside, "inside": _inside, "regex": _regex, "exists": _exists,
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule's metadata."""

    ref: str
    enabled: bool
    trigger: str
    trigger_parameters: Mapping[str, Any]
    criteria: Mapping[str, Mapping[str, Any]]
    action: str
    parameters: Mapping[str, Any]

    def is_met(self, payload: Any) -> bool:
        """Whether the payload meets all criteria; PackError for an operator that is not here."""
        return all(self._meets(key, one, payload) for key, one in self.criteria.items())

    def _meets(self, key: str, criterion: Mapping[str, Any], payload: Any) -> bool:
        operator = OPERATORS.get(criterion["type"])
        if operator is None:
            raise PackError(f"rule {self.ref}: the runner does not know the operator {criterion['type']!r}")
        try:
            return operator(_look_up(key, payload), criterion["pattern"])
        except TypeError:  # such as a number where the pattern is a text: no match, as in StackStorm
            return False


def load_rules(folder: Path, pack: str) -> list[Rule]:
    """All rules of the pack; PackError names the file that is broken."""
    return [_rule(path, pack) for path in metadata_files(folder / "rules")]


def load_triggers(folder: Path, pack: str) -> dict[str, TriggerType]:
    """The pack's own triggers and the stock ones that are known here, by reference."""
    found = dict(STOCK)
    for path in metadata_files(folder / "triggers"):
        document = load_document(path)
        payload = document.get("payload_schema") or {}
        own = TriggerType(
            f"{pack}.{document.get('name')}",
            payload.get("properties") or {},
            (document.get("parameters_schema") or {}).get("properties") or {},
            payload.get("additionalProperties", True),
        )
        found[own.ref] = own
    return found


def judge(folder: Path, pack: str, trigger: str, parameters: Mapping[str, Any], payload: Any) -> list[Rule]:
    """The rules that are met; PackError where StackStorm would not dispatch the trigger at all."""
    types = load_triggers(folder, pack)
    if trigger not in types:
        raise PackError(f'Trigger type with reference "{trigger}" doesn\'t exist')
    try:
        schema.validate(payload, types[trigger].payload, additional=types[trigger].additional)
    except schema.Invalid as error:
        raise PackError(f'Trigger payload validation failed, not dispatching a trigger "{trigger}": {error}') from error
    concerned = [
        one for one in load_rules(folder, pack)
        if one.enabled and one.trigger == trigger and dict(one.trigger_parameters) == dict(parameters)
    ]  # fmt: skip
    return [one for one in concerned if one.is_met(payload)]


def _rule(path: Path, pack: str) -> Rule:
    document = load_document(path)
    try:
        return Rule(
            ref=f"{pack}.{document['name']}",
            enabled=document.get("enabled", False),
            trigger=document["trigger"]["type"],
            trigger_parameters=document["trigger"].get("parameters") or {},
            criteria=document.get("criteria") or {},
            action=document["action"]["ref"],
            parameters=document["action"].get("parameters") or {},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PackError(f"{path}: {error!r} is missing or of another form") from error


def _look_up(key: str, payload: Any) -> Any:
    """``trigger.a.b``: None where there is no such thing; the text after a # only makes keys differ."""
    names = key.split("#", 1)[0].split(".")
    if names[0] != "trigger":
        return None
    value = payload
    for name in names[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
