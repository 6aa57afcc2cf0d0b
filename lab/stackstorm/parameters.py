"""Parameters as StackStorm treats them (st2common/util/param.py, util/casts.py, services/action.py).

A request's parameters go through ``request_parameters`` (an error refuses the request), then, when the action starts,
through ``final_parameters``, which adds the defaults and the immutable ones.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import graphlib
import jinja2
import jinja2.meta
import jinja2.sandbox

from lab.stackstorm import schema
from lab.stackstorm.pack import Action

_ENVIRONMENT = jinja2.sandbox.SandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters["to_complex"] = json.dumps


class ParameterError(ValueError):
    """A request's parameters are refused; the message names the parameter and the reason."""


def request_parameters(action: Action, given: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters rendered and cast; ParameterError where StackStorm would refuse the request.

    ``scope`` holds what templates may use beside the parameters: action_context, config_context and st2kv.
    """
    nodes = {name: _Value(value) for name, value in scope.items()}
    nodes.update({name: _node(value) for name, value in given.items()})
    resolved = _resolve(_with_defaults(nodes, action))
    names = [*given, *(name for name in _rendered_defaults(action) if name not in given)]
    live = {name: _cast(name, resolved[name], _all_specs(action).get(name, {})) for name in names}
    _refuse_invalid(action, live)
    return live


def final_parameters(
    action: Action, live: Mapping[str, Any], scope: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the runner and what the action itself are given: all defaults filled in and rendered."""
    nodes = {name: _Value(value) for name, value in {**scope, **live}.items()}
    resolved = _resolve(_with_defaults(nodes, action))
    specs = _all_specs(action)
    values = {name: _cast(name, resolved[name], spec) for name, spec in specs.items()}
    runner = {name: values[name] for name in action.runner_parameters}
    return runner, {name: value for name, value in values.items() if name not in runner}


def render(template: str, scope: Mapping[str, Any]) -> str:
    """Render one Jinja template; an unknown variable is an error, as in StackStorm."""
    return str(_ENVIRONMENT.from_string(template).render(scope))


def names_in(template: str) -> set[str]:
    """The variables that a template wants; jinja2.TemplateSyntaxError for one that is none, or an unknown filter."""
    return set(jinja2.meta.find_undeclared_variables(_ENVIRONMENT.parse(template)))


def is_template(value: Any) -> bool:
    """Whether StackStorm takes the value for Jinja."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _all_specs(action: Action) -> dict[str, dict[str, Any]]:
    names = [*action.runner_parameters, *(n for n in action.parameters if n not in action.runner_parameters)]
    return {n: {**action.runner_parameters.get(n, {}), **action.parameters.get(n, {})} for n in names}


def _rendered_defaults(action: Action) -> list[str]:
    """Optional parameters whose default is a template: they are validated as if they had been given."""
    specs = _all_specs(action).items()
    return [name for name, spec in specs if not spec.get("immutable") and is_template(spec.get("default"))]


def _refuse_invalid(action: Action, live: Mapping[str, Any]) -> None:
    try:
        schema.validate(live, _all_specs(action))
    except schema.Invalid as error:
        raise ParameterError(f"{action.ref}: {error}") from error
    overridden = sorted(name for name in live if _all_specs(action)[name].get("immutable"))
    if overridden:
        raise ParameterError(f"{action.ref}: Override of immutable parameter(s) {overridden} is unsupported.")


class _Value:
    """A node that needs no rendering."""

    needs: Iterable[str] = ()

    def __init__(self, value: Any) -> None:
        self.value = value

    def render(self, _scope: Mapping[str, Any]) -> Any:
        return self.value


class _Template(_Value):
    """A node with Jinja in it: a string, or a list or an object with such strings."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.needs = jinja2.meta.find_undeclared_variables(_ENVIRONMENT.parse(str(value)))

    def render(self, scope: Mapping[str, Any]) -> Any:
        if isinstance(self.value, str):
            return render(self.value, scope)
        # A bare "{{name}}" keeps its type, anything else in it becomes a string.
        text = re.sub(r'"{{([A-z0-9_-]+)}}"', r"{{\1 | to_complex}}", json.dumps(self.value))
        return json.loads(render(text, scope))


def _node(value: Any) -> _Value:
    text = str(value) if isinstance(value, (list, dict)) else value
    if not is_template(text):
        return _Value(value)
    try:
        return _Template(value)
    except jinja2.TemplateSyntaxError:
        return _Value(value)


def _with_defaults(nodes: dict[str, _Value], action: Action) -> dict[str, _Value]:
    for name, spec in _all_specs(action).items():
        if name not in nodes or nodes[name].value is None or spec.get("immutable"):
            nodes[name] = _node(spec.get("default"))
    return nodes


def _resolve(nodes: Mapping[str, _Value]) -> dict[str, Any]:
    for name, node in nodes.items():
        missing = sorted(need for need in node.needs if need not in nodes)
        if missing:
            raise ParameterError(f'Dependency unsatisfied in variable "{missing[0]}" (parameter "{name}")')
    try:
        order = list(graphlib.TopologicalSorter({n: node.needs for n, node in nodes.items()}).static_order())
    except graphlib.CycleError as error:
        raise ParameterError(f"Cyclic dependency found in the following variables: {error.args[1]}") from error
    resolved: dict[str, Any] = {}
    for name in order:
        try:
            resolved[name] = nodes[name].render(resolved)
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise ParameterError(f'Failed to render parameter "{name}": {error}') from error
    return resolved


def _cast(name: str, value: Any, spec: Mapping[str, Any]) -> Any:
    cast = _CASTS.get(spec.get("type", ""))
    if value is None or cast is None:
        return value
    try:
        return cast(value)
    except (ValueError, TypeError, SyntaxError) as error:
        raise ParameterError(f'"{name}": {value!r} cannot be made a {spec["type"]}: {error}') from error


def _cast_complex(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return ast.literal_eval(value)


def _cast_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"it must be a string, not {type(value).__name__}")
    return value


_CASTS: dict[str, Callable[[Any], Any]] = {
    "array": _cast_complex,
    "object": _cast_complex,
    "boolean": lambda value: ast.literal_eval(value.capitalize()) if isinstance(value, str) else value,
    "integer": int,
    "number": float,
    "string": _cast_string,
}
