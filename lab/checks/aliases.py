"""The chat aliases: what StackStorm would refuse, and what it would accept and fail on when somebody types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
import jinja2.meta
from st2common.exceptions.content import ParseException
from st2common.models.utils.action_alias_utils import extract_parameters

from lab.checks.metadata import metadata_problems
from lab.checks.subject import Subject
from lab.stackstorm.pack import CORE_ACTIONS

_ACK = {"enabled": {"type": "boolean"}, "format": {"type": "string"}, "append_url": {"type": "boolean"}}
# st2common/models/api/action.py, ActionAliasAPI, without keys that it computes itself or that only adapters use.
_METADATA: dict[str, Any] = {
    "name": {"type": "string", "required": True},
    "pack": {"type": "string", "required": True},
    "description": {"type": "string", "required": True},
    "enabled": {"type": "boolean"},
    "action_ref": {"type": "string", "required": True},
    "formats": {"type": "array", "minItems": 1, "required": True},
    "ack": {"type": "object", "properties": _ACK, "additionalProperties": False, "required": True},
    "result": {
        "type": "object",
        "properties": {"enabled": {"type": "boolean"}, "format": {"type": "string"}},
        "additionalProperties": False,
        "required": True,
    },
    "immutable_parameters": {"type": "object"},
}
_NAME = re.compile(r"{{\s*(\w+)\s*}}")
# Variables of each template: st2api/controllers/v1/aliasexecution.py, chatops/actions/format_execution_result.py.
_KNOWN = {"ack": {"execution"}, "result": {"execution", "six", "alias"}}
_FILTERS = ("regex_replace",)  # those of st2common/util/jinja.py that the pack uses


def aliases_are_known_to_stackstorm(subject: Subject) -> list[str]:
    """No unknown keys; names, which are global, are the pack's name and the file's."""
    return metadata_problems(subject, subject.aliases, _METADATA, f"{subject.ref}_")


def aliases_fit_their_actions(subject: Subject) -> list[str]:
    """The action exists and is enabled, has the parameters that the formats name, and gets all that it requires."""
    found = []
    for path, alias in subject.aliases.items():
        parameters = _parameters(subject, str(alias.get("action_ref")))
        if parameters is None:
            found.append(f"{path}: the action {alias.get('action_ref')} does not exist, or is disabled")
            continue
        fixed = set(alias.get("immutable_parameters") or {})
        for text in _representations(alias):
            named = set(_NAME.findall(text))
            found += [f"{path}: {problem}" for problem in _misfits(named, fixed, parameters)]
    return found


def no_two_formats_match_one_line(subject: Subject) -> list[str]:
    """StackStorm refuses a line that matches two formats ("matched more than 1 pattern")."""
    formats = [(path, text) for path, alias in subject.aliases.items() for text in _representations(alias)]
    try:
        return _overlaps(formats)
    except re.error as error:
        return [f"aliases: {error.pattern!r} is no regular expression: {error}"]


def _overlaps(formats: list[tuple[str, str]]) -> list[str]:
    found = []
    for path, text in formats:
        line = _NAME.sub("word-1", text)
        others = [(other, one) for other, one in formats if (other, one) != (path, text) and _matches(one, line)]
        found += [f"{path}: {line!r} also has the format {one!r} of {other}" for other, one in others]
        if not _matches(text, line):
            found.append(f"{path}: {line!r} does not have the format {text!r} itself")
    return found


def templates_can_be_rendered(subject: Subject) -> list[str]:
    """Each template is valid Jinja and uses only variables that StackStorm provides."""
    found = []
    for path, alias in subject.aliases.items():
        for part, known in _KNOWN.items():
            text = (alias.get(part) or {}).get("format") or ""
            found += [f"{path}: {part}: {problem}" for problem in _template_problems(text, known)]
    return found


def _parameters(subject: Subject, ref: str) -> Mapping[str, Mapping[str, Any]] | None:
    if ref in CORE_ACTIONS:
        return CORE_ACTIONS[ref].parameters
    for action in subject.actions.values():
        if ref == f"{subject.ref}.{action.get('name')}" and action.get("enabled", True):
            parameters: Mapping[str, Mapping[str, Any]] = action.get("parameters") or {}
            return parameters
    return None


def _misfits(named: set[str], fixed: set[str], parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name in sorted((named | fixed) - set(parameters)):
        yield f"the action has no parameter {name}"
    for name in sorted(named & fixed):
        yield f"{name} can be typed, but is one of immutable_parameters"
    for name, spec in parameters.items():
        if spec.get("required") and name not in named | fixed:
            yield f"the action needs {name}, which no part of the format gives"
        if spec.get("immutable") and name in named | fixed:
            yield f"the action's parameter {name} is immutable"


def _representations(alias: Mapping[str, Any]) -> list[str]:
    """st2common/util/actionalias_matching.py, normalise_alias_format_string."""
    found: list[str] = []
    for one in alias.get("formats") or []:
        given = one.get("representation", []) if isinstance(one, dict) else one
        found += [given] if isinstance(given, str) else list(given)
    return found


def _matches(text: str, line: str) -> bool:
    try:
        extract_parameters(text, line)
    except ParseException:
        return False
    return True


def _template_problems(text: str, known: set[str]) -> list[str]:
    environment = jinja2.Environment(autoescape=False)
    environment.filters.update(dict.fromkeys(_FILTERS, str))
    try:
        wanted = jinja2.meta.find_undeclared_variables(environment.parse(text))
        environment.from_string(text)
    except jinja2.TemplateError as error:
        return [f"it cannot be parsed: {error}"]
    return [f"it asks for {name}, which is not there" for name in sorted(wanted - known)]
