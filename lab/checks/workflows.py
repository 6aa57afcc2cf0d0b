"""The workflows: orquesta's own inspection, and defects that it does not find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orquesta.specs import native
from orquesta.utils.parameters import parse_inline_params

from lab.checks.subject import Subject
from lab.stackstorm.inspection import inspect

_EXPRESSION = re.compile(r"<%.*?%>|{{.*?}}|{%.*?%}", re.DOTALL)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]")


def inspection_finds_nothing(subject: Subject) -> list[str]:
    """Defects that orquesta and StackStorm would refuse only at the start of each run."""
    pack = subject.pack()
    if pack is None:
        return ["the workflows were not inspected: the pack's metadata has to be right first"]
    found = []
    for path, definition in subject.workflows.items():
        try:
            errors = inspect(native.WorkflowSpec(dict(definition)), pack)
        except Exception as error:  # orquesta raises any exception for a definition that is not a workflow
            errors = [{"message": f"{type(error).__name__}: {error}"}]
        found += [f"{path}: {error.get('spec_path') or 'workflow'}: {error['message']}" for error in errors]
    return found


def inputs_are_the_parameters(subject: Subject) -> list[str]:
    """A parameter that is not an input is dropped, and an input that is not a parameter is always empty."""
    found = []
    for metadata in subject.actions.values():
        path = str(metadata.get("entry_point"))
        definition = subject.workflows.get(path)
        if definition is None:
            continue
        inputs = {name for entry in definition.get("input") or [] for name in ([entry] if _text(entry) else entry)}
        parameters = set(metadata.get("parameters") or {}) - {"notify"}
        found += [f"{path}: the parameter {name} is no input" for name in sorted(parameters - inputs)]
        found += [f"{path}: the input {name} is no parameter" for name in sorted(inputs - parameters)]
    return found


def failures_have_a_route(subject: Subject) -> list[str]:
    """Each task that can fail has a route for it; without one the workflow can end with the output of a success."""
    found = []
    for path, name, task in tasks(subject):
        if task.get("action") and not any(taken_on_failure(route) for route in routes(task)):
            found.append(f"{path}: the task {name} has no route for its failure")
    return found


def inline_values_are_kept(subject: Subject) -> list[str]:
    """A bare word in an inline ``k=v`` is silently dropped by orquesta (orquesta/utils/parameters.py)."""
    found = []
    for path, name, task in tasks(subject):
        inline = [task.get("action"), task.get("input"), *(route.get("publish") for route in routes(task))]
        for text in (value for value in inline if isinstance(value, str)):
            plain = _QUOTED.sub("''", _EXPRESSION.sub("''", text))
            kept = {key for pair in parse_inline_params(text) for key in pair}
            lost = [key for key in re.findall(r"(\w+)=", plain) if key not in kept]
            found += [f"{path}: the task {name} loses {key} of the inline {text!r}" for key in lost]
    return found


def languages_are_not_mixed(subject: Subject) -> list[str]:
    """A string with both YAQL and Jinja is evaluated as one of them only."""
    found = []
    for path, definition in subject.workflows.items():
        mixed = [text for text in _strings(definition) if "<%" in text and re.search(r"{{|{%", text)]
        found += [f"{path}: YAQL and Jinja in one string: {text!r}" for text in mixed]
    return found


def tasks(subject: Subject) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield for each task of each workflow the workflow's path, the task's name and the task."""
    for path, definition in subject.workflows.items():
        found = definition.get("tasks")
        for name, task in found.items() if isinstance(found, dict) else ():
            if isinstance(task, dict):
                yield path, name, task


def routes(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The task's transitions."""
    return [route for route in task.get("next") or [] if isinstance(route, dict)]


def taken_on_failure(route: Mapping[str, Any]) -> bool:
    """Whether the route can be taken after a failure: without a condition, or with one that includes it."""
    when = str(route.get("when", ""))
    return not when or bool(re.search(r"(?<!not )(failed|completed)\(\)|not succeeded\(\)", when))


def _strings(value: Any) -> Iterator[str]:
    if _text(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _text(value: Any) -> bool:
    return isinstance(value, str)
