"""The actions' metadata against StackStorm's rules, and against this project's own rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lab.checks.dialect import default_problems, schema_problems
from lab.checks.manifest import missing
from lab.checks.metadata import metadata_problems
from lab.checks.subject import Subject
from lab.stackstorm.pack import RUNNERS

# st2common/models/api/action.py, ActionAPI. Keys that StackStorm computes itself (id, uid, ref, metadata_file) are
# omitted; description and enabled are required by this project.
_METADATA: dict[str, Any] = {
    "name": {"type": "string", "pattern": r"^\w+$", "required": True},
    "description": {"type": "string", "required": True},
    "enabled": {"type": "boolean", "required": True},
    "runner_type": {"type": "string", "enum": ["orquesta", "python-script"], "required": True},
    "entry_point": {"type": "string", "required": True},
    "pack": {"type": "string"},
    "parameters": {"type": "object"},
    "output_schema": {"type": "object"},
    "tags": {"type": "array", "items": {"type": "object"}},
    "notify": {"type": "object"},
}
# st2common/util/schema/__init__.py, RUNNER_PARAM_OVERRIDABLE_ATTRS
_OVERRIDABLE = {"default", "description", "enum", "immutable", "required"}


def metadata_is_known_to_stackstorm(subject: Subject) -> list[str]:
    """No unknown keys, the right types, the name of the file and of the pack."""
    return metadata_problems(subject, subject.actions, _METADATA)


def parameters_are_described(subject: Subject) -> list[str]:
    """Each parameter has a valid schema, and, except for the runner's own, a description and a type."""
    found = []
    for place, name, spec, runner in _parameters(subject):
        problems = schema_problems(spec)
        if name not in runner:
            problems += missing(spec, "description", "type")
        if not re.match(r"^\w+$", name):
            problems.append("its name may only have letters, digits and underscores")
        found += [f"{place}: {problem}" for problem in problems]
    return found


def parameters_fit_the_runner(subject: Subject) -> list[str]:
    """A runner's parameter may only be changed where StackStorm allows it (validators/api/action.py)."""
    found = []
    for place, name, spec, runner in _parameters(subject):
        for key, value in spec.items() if name in runner else ():
            if key not in _OVERRIDABLE and value != runner[name].get(key):
                found.append(f"{place}: the runner's own {key} cannot be changed")
    return found


def positions_are_a_sequence(subject: Subject) -> list[str]:
    """Positions are unique and contiguous (validators/api/action.py)."""
    found = []
    for path, metadata in subject.actions.items():
        specs = (metadata.get("parameters") or {}).values()
        positions = sorted(spec["position"] for spec in specs if isinstance(spec, dict) and "position" in spec)
        if positions and positions != list(range(int(positions[0]), int(positions[0]) + len(positions))):
            found.append(f"{path}: the positions {positions} are not unique and without a gap")
    return found


def help_can_be_printed(subject: Subject) -> list[str]:
    """st2client sorts the optional parameters, the runner's among them, by position or name, which do not compare.

    The runner's have none (st2client/commands/action.py, _get_parameter_sort_value), so no optional one has.
    """
    found = []
    for path, metadata in subject.actions.items():
        for name, spec in (metadata.get("parameters") or {}).items():
            shown = isinstance(spec, dict) and not spec.get("required") and not spec.get("immutable")
            if shown and "position" in spec:
                found.append(f"{path}: {name}: it is optional and has a position: 'st2 run ... --help' fails")
    return found


def defaults_make_sense(subject: Subject) -> list[str]:
    """An immutable parameter has a default (validators/api/action.py), a required one has none, each fits its type."""
    found = []
    for place, name, spec, runner in _parameters(subject):
        merged = {**runner.get(name, {}), **spec}
        problems = default_problems(merged)
        if "immutable" in spec and "default" not in merged:
            problems.append("an immutable parameter requires a default")
        if spec.get("required") and "default" in spec:
            problems.append("a required parameter with a default is never asked for")
        if spec.get("required") and spec.get("immutable"):
            problems.append("a parameter that is required cannot be immutable")
        found += [f"{place}: {problem}" for problem in problems]
    return found


def entry_points_exist(subject: Subject) -> list[str]:
    """Each action's entry point exists, and each file in actions/ and workflows/ belongs to an action."""
    found, used = [], set()
    for path, metadata in subject.actions.items():
        entry = str(metadata.get("entry_point", ""))
        target = subject.folder / "actions" / entry
        used.add(target.resolve())
        if not target.is_file():
            found.append(f"{path}: the entry point actions/{entry} does not exist")
        elif target.suffix != {"python-script": ".py"}.get(str(metadata.get("runner_type")), ".yaml"):
            found.append(f"{path}: the entry point {entry} does not fit the runner {metadata.get('runner_type')}")
    for file in sorted([*subject.folder.glob("actions/*.py"), *subject.folder.glob("workflows/*.yaml")]):
        if file.resolve() not in used:
            found.append(f"{file.relative_to(subject.folder)}: no action has it as its entry point")
    return found


def _parameters(subject: Subject) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Mapping[str, Any]]]]:
    """Yield for each parameter its place, its name, its schema, and all parameters of its runner."""
    for path, metadata in subject.actions.items():
        runner = RUNNERS.get(str(metadata.get("runner_type")), {})
        for name, spec in (metadata.get("parameters") or {}).items():
            yield f"{path}: parameter {name}", name, spec if isinstance(spec, dict) else {}, runner
