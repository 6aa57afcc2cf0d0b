"""Each method's workflow has the steps that the library defines, in their order, on its path of success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.checks.subject import Subject
from lab.checks.workflows import routes

_SUFFIX = "_allocations"
_COMMANDS = {"noop", "continue", "fail", "retry"}


class _NoPathError(Exception):
    """The workflow has no single path of success."""


def workflows_draw_the_methods(subject: Subject) -> list[str]:
    """For each method a workflow ``<method>_allocations`` with the same sequence exists, and there are no others."""
    if isinstance(subject.methods, str):
        return [f"lib: SEQUENCES cannot be imported: {subject.methods}"]
    found = []
    drawn = {path for path in subject.workflows if path.endswith(f"{_SUFFIX}.yaml")}
    for method, steps in subject.methods.items():
        path = f"workflows/{method}{_SUFFIX}.yaml"
        drawn.discard(path)
        if path not in subject.workflows:
            found.append(f"{path}: does not exist, and SEQUENCES has {method!r}")
        else:
            found += _differences(path, subject, [(name, action) for name, action in steps])
    return found + [f"{path}: SEQUENCES has no such method" for path in sorted(drawn)]


def _differences(path: str, subject: Subject, expected: list[tuple[str, str]]) -> list[str]:
    try:
        actual = _path_of_success(subject.workflows[path].get("tasks") or {}, subject.ref)
    except _NoPathError as error:
        return [f"{path}: {error}"]
    for number, (drawn, written) in enumerate(zip(actual, expected), start=1):
        if drawn != written:
            return [f"{path}: step {number} is {_words(drawn)}, in SEQUENCES {_words(written)}"]
    if len(actual) != len(expected):
        return [f"{path}: has {len(actual)} steps on its path of success, SEQUENCES has {len(expected)}"]
    return []


def _path_of_success(tasks: Mapping[str, Any], pack: str) -> list[tuple[str, str]]:
    """The tasks from the first on along the routes whose condition is success, each with its action's name."""
    followers = {name for task in tasks.values() for route in routes(task) for name in _next(route)}
    starts = [name for name in tasks if name not in followers]
    if len(starts) != 1:
        raise _NoPathError(f"has {len(starts)} first tasks, not one")
    path: list[tuple[str, str]] = []
    following = starts
    while following:
        name = following[0]
        if name in (task for task, _ in path):
            raise _NoPathError(f"its path of success comes to {name} again")
        if name not in tasks:
            raise _NoPathError(f"its path of success leads to {name}, which is no task")
        path.append((name, str(tasks[name].get("action")).removeprefix(f"{pack}.")))
        following = _after_success(name, tasks[name])
    return path


def _after_success(name: str, task: Mapping[str, Any]) -> list[str]:
    succeeding = [route for route in routes(task) if "".join(str(route.get("when")).split()) == "<%succeeded()%>"]
    if len(succeeding) != 1:
        raise _NoPathError(f"the task {name} has {len(succeeding)} routes <% succeeded() %>, not one")
    following = [task for task in _next(succeeding[0]) if task not in _COMMANDS]
    if len(following) > 1:
        raise _NoPathError(f"the task {name} is followed by {' and '.join(following)}, not by one task")
    return following


def _next(route: Mapping[str, Any]) -> list[str]:
    do = route.get("do") or []
    return [name.strip() for name in do.split(",")] if isinstance(do, str) else list(do)


def _words(step: tuple[str, str]) -> str:
    return f"the task {step[0]} with the action {step[1]}"
