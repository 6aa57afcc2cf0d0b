"""The README's tables of what is in the pack, rendered from the metadata."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lab.checks.subject import Subject, read

BEGIN = "<!-- Generated from the metadata by `python3 -m lab.checks --write-readme`: do not edit by hand. -->"
END = "<!-- End of the generated part. -->"
_GENERATED = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", re.DOTALL)
_PARAMETER = re.compile(r"{{\s*(\w+).*?}}")
_OUTDATED = "README.md: its tables differ from the metadata; run python3 -m lab.checks --write-readme"

Document = Mapping[str, Any]
Rows = list[tuple[str, str]]


class NoMarkersError(Exception):
    """The README does not have the two markers, each on a line of its own, exactly once."""


def readme_is_current(subject: Subject) -> list[str]:
    """README.md, if there is one, holds the tables as the metadata gives them."""
    path = subject.folder / "README.md"
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    try:
        current = updated(text, subject) == text
    except NoMarkersError as error:
        return [f"README.md: {error}"]
    return [] if current else [_OUTDATED]


def updated(readme: str, subject: Subject) -> str:
    """The README with the tables between its markers replaced; raises NoMarkersError."""
    if len(_GENERATED.findall(readme)) != 1:
        raise NoMarkersError(f"it needs exactly one pair of the lines {BEGIN!r} and {END!r}")
    return _GENERATED.sub(lambda _: f"{BEGIN}\n\n{render(subject)}\n{END}\n", readme)


def render(subject: Subject) -> str:
    """The tables in Markdown, one line per entry; a kind of which the pack has nothing is omitted."""
    tables = (
        ("Workflow", _workflows(subject)),
        ("Action", _single_actions(subject)),
        ("Step of a recovery", _steps(subject)),
        ("Trigger", _named(subject.triggers.values())),
        ("Rule", _rules(subject)),
        ("Sensor", _sensors(subject)),
        ("Chat command", _chat_commands(subject)),
    )
    return "\n".join(_table(heading, rows) for heading, rows in tables if rows)


def _table(heading: str, rows: Rows) -> str:
    cells = ((name.replace("|", "\\|"), description.replace("|", "\\|")) for name, description in rows)
    lines = (f"| {name} | {description} |" for name, description in cells)
    return "\n".join([f"| {heading} | Description |", "|---|---|", *lines, ""])


def _workflows(subject: Subject) -> Rows:
    return _named(action for action in subject.actions.values() if action.get("runner_type") == "orquesta")


def _single_actions(subject: Subject) -> Rows:
    steps = {action.get("name") for action in _step_actions(subject)}
    return _named(
        action
        for action in subject.actions.values()
        if action.get("runner_type") != "orquesta" and action.get("name") not in steps
    )


def _steps(subject: Subject) -> Rows:
    return _named(_step_actions(subject))


def _step_actions(subject: Subject) -> list[Document]:
    """The actions of the methods' steps in the order of the longest method, then other ones that need a recovery."""
    by_name = {str(action.get("name")): action for action in subject.actions.values()}
    methods = {} if isinstance(subject.methods, str) else subject.methods
    longest_first = sorted(methods.values(), key=len, reverse=True)
    of_methods = [action for steps in longest_first for _, action in steps]
    of_recoveries = [name for name, action in by_name.items() if _needs_recovery(action)]
    return [by_name[name] for name in dict.fromkeys([*of_methods, *of_recoveries]) if name in by_name]


def _needs_recovery(action: Document) -> bool:
    parameter = (action.get("parameters") or {}).get("recovery_id") or {}
    return parameter.get("required") is True


def _rules(subject: Subject) -> Rows:
    states = {True: "", False: " (disabled)"}
    return [
        (f"`{rule.get('name')}`{states[bool(rule.get('enabled'))]}", _description(rule))
        for rule in subject.rules.values()
    ]


def _sensors(subject: Subject) -> Rows:
    return [(f"`{sensor.get('class_name')}`", _description(sensor)) for sensor in subject.sensors.values()]


def _chat_commands(subject: Subject) -> Rows:
    return [(_chat_formats(alias), _description(alias)) for alias in subject.aliases.values()]


def _chat_formats(alias: Document) -> str:
    """Each format as it is shown to people, its parameters in capitals."""
    formats = alias.get("formats") or []
    shown = [str(one.get("display")) if isinstance(one, dict) else str(one) for one in formats]
    return "<br>".join(f"`{_PARAMETER.sub(lambda found: found.group(1).upper(), text)}`" for text in shown)


def _named(documents: Iterable[Document]) -> Rows:
    return [(f"`{document.get('name')}`", _description(document)) for document in documents]


def _description(document: Document) -> str:
    return " ".join(str(document.get("description", "")).split())


def main() -> None:
    """Write the tables into a pack's README.md; its folder and SEQUENCES as JSON on stdin."""
    name, methods = json.load(sys.stdin)
    subject, path = read(Path(name), methods), Path(name) / "README.md"
    path.write_text(updated(path.read_text(encoding="utf-8"), subject), encoding="utf-8")


if __name__ == "__main__":
    main()
