"""What StackStorm refuses about a workflow before it starts it (st2common/services/workflows.py, inspect)."""

from __future__ import annotations

from typing import Any

from orquesta.expressions import base as expressions

from lab.stackstorm.pack import Pack, PackError

# The variables that StackStorm puts into the context: orquesta_runner.py, _construct_st2_context.
CONTEXT: dict[str, Any] = {"st2": {}, "parent": {}}
_KINDS = {"contents": "content", "expressions": "expression", "semantics": "semantic"}


def inspect(spec: Any, pack: Pack) -> list[dict[str, Any]]:
    """orquesta's own findings and StackStorm's about each task's action and input; empty if there are none."""
    found = spec.inspect(app_ctx=CONTEXT, raise_exception=False)
    errors = [{**entry, "type": _KINDS.get(kind, kind)} for kind, entries in found.items() for entry in entries]
    if "syntax" not in found:
        for name, task in spec.tasks.items():
            errors += _inspect_task(name, task, pack)
    return sorted(errors, key=lambda entry: (entry["type"], entry["spec_path"] or ""))


def _inspect_task(name: str, task: Any, pack: Pack) -> list[dict[str, Any]]:
    place, ref = f"tasks.{name}.action", task.action
    if not ref or any(e.has_expressions(ref) for e in expressions.get_evaluators().values()):
        return []
    try:
        action = pack.action(ref)
    except PackError as error:
        return [_finding(place, str(error))]
    given = task.input or {}
    if not isinstance(given, dict):
        return []
    specs = {**action.runner_parameters, **action.parameters}
    required = {key for key, spec in specs.items() if spec.get("required") and "default" not in spec}
    missing = [f'Action "{ref}" is missing required input "{key}".' for key in sorted(required - set(given))]
    unknown = [f'Action "{ref}" has unexpected input "{key}".' for key in sorted(set(given) - set(specs))]
    return [_finding(f"tasks.{name}.input", message) for message in missing + unknown]


def _finding(place: str, message: str) -> dict[str, Any]:
    return {"type": "content", "spec_path": place, "message": message}
