"""The triggers' metadata: what StackStorm would refuse, or register and then drop every payload of."""

from __future__ import annotations

from typing import Any

from lab.checks.dialect import schema_problems
from lab.checks.manifest import missing
from lab.checks.metadata import metadata_problems
from lab.checks.subject import Subject

# st2common/models/api/trigger.py, TriggerTypeAPI; description is required by this project.
_METADATA: dict[str, Any] = {
    "name": {"type": "string", "pattern": r"^\w+$", "required": True},
    "pack": {"type": "string"},
    "description": {"type": "string", "required": True},
    "payload_schema": {"type": "object", "required": True},
    "parameters_schema": {"type": "object"},
    "tags": {"type": "array", "items": {"type": "object"}},
}


def triggers_are_known_to_stackstorm(subject: Subject) -> list[str]:
    """No unknown keys, the name of the file and of the pack, and schemas in StackStorm's dialect."""
    found = metadata_problems(subject, subject.triggers, _METADATA)
    for path, trigger in subject.triggers.items():
        for name in ("payload_schema", "parameters_schema"):
            if trigger.get(name):
                found += [f"{path}: {name}: {problem}" for problem in schema_problems(trigger[name])]
    return found


def payloads_are_described(subject: Subject) -> list[str]:
    """Each field has a description, a type and ``required: true``: a rule that renders a missing field fails."""
    found = []
    for path, trigger in subject.triggers.items():
        payload = trigger.get("payload_schema") or {}
        if payload.get("type") != "object":
            found.append(f"{path}: payload_schema: its type is not object, so StackStorm ignores its properties")
        for name, spec in (payload.get("properties") or {}).items():
            problems = missing(spec, "description", "type")
            if isinstance(spec, dict) and spec.get("required") is not True:
                problems.append("is not required: true")
            found += [f"{path}: field {name}: {problem}" for problem in problems]
    return found
