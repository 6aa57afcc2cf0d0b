"""The actions' Python files, parsed but not imported: their classes, and the parameters of run()."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from lab.checks.subject import Subject
from lab.stackstorm.pack import RUNNERS


def one_class_per_file(subject: Subject) -> list[str]:
    """One class per file, each name once: StackStorm uses the first class, and datastore keys contain its name."""
    found: list[str] = []
    owners: dict[str, str] = {}
    for path, _, tree in _modules(subject):
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        if len(classes) != 1:
            found.append(f"{path}: holds {len(classes)} classes, not one")
        for node in classes:
            first = owners.setdefault(node.name, path)
            if first != path:
                found.append(f"{path}: the class {node.name} is in {first} already")
            if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
                found.append(f"{path}: a dataclass cannot be here: StackStorm does not put the module into sys.modules")
    return found


def run_takes_the_parameters(subject: Subject) -> list[str]:
    """StackStorm calls run() with each parameter of the metadata as a keyword argument, and with no others."""
    found = []
    for path, metadata, tree in _modules(subject):
        runner = RUNNERS.get(str(metadata.get("runner_type")), {})
        expected = {name for name in metadata.get("parameters") or {} if name not in runner}
        for run in _runs(tree):
            taken = {argument.arg for argument in [*run.args.args[1:], *run.args.kwonlyargs]}
            found += [f"{path}: run() does not take the parameter {name}" for name in sorted(expected - taken)]
            found += [f"{path}: run() takes {name}, which is no parameter" for name in sorted(taken - expected)]
            if run.args.vararg or run.args.kwarg:
                found.append(f"{path}: run() takes anything; let it name its parameters")
    return found


def _modules(subject: Subject) -> Iterator[tuple[str, Mapping[str, Any], ast.Module]]:
    """Yield for each Python action its file, metadata and code; another check reports a missing file."""
    for metadata in subject.actions.values():
        path = f"actions/{metadata.get('entry_point')}"
        file = subject.folder / path
        if file.suffix == ".py" and file.is_file():
            yield path, metadata, ast.parse(file.read_text(encoding="utf-8"), filename=path)


def _runs(tree: ast.Module) -> list[ast.FunctionDef]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [f for node in classes for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "run"]
