"""The pack's aliases as StackStorm's chat sees them: lines are matched with formats, results are rendered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple

import jinja2.sandbox
import yaml
from st2common.exceptions.content import ParseException
from st2common.models.utils.action_alias_utils import extract_parameters

ROOT = Path(__file__).resolve().parents[2]


class Match(NamedTuple):
    """An alias's file (without its ending), and the parameters that its action is called with."""

    alias: str
    parameters: Dict[str, Any]


class Execution(NamedTuple):
    """What templates see of an execution."""

    parameters: Mapping[str, Any]
    result: Any = None
    status: str = "succeeded"
    id: str = "5f3c"


class Chat:
    """All aliases of the pack."""

    def __init__(self) -> None:
        files = sorted((ROOT / "aliases").glob("*.yaml"))
        self.aliases = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}

    def type(self, line: str) -> List[Match]:
        """Everything that the line matches; StackStorm refuses it where this is not one."""
        found = []
        for name, alias in self.aliases.items():
            for one in alias["formats"]:
                for text in [one] if isinstance(one, str) else one["representation"]:
                    try:
                        typed = extract_parameters(text, line)
                    except ParseException:
                        continue
                    found.append(Match(name, {**typed, **alias.get("immutable_parameters", {})}))
        return found

    def acknowledge(self, alias: str, **parameters: Any) -> str:
        """What is answered at once. StackStorm lets no variable be undefined here."""
        environment = _environment(jinja2.StrictUndefined)
        return environment.from_string(self.aliases[alias]["ack"]["format"]).render(execution=Execution(parameters))

    def answer(self, alias: str, result: Any, status: str = "succeeded", **parameters: Any) -> str:
        """What is answered at the end."""
        environment = _environment(jinja2.Undefined)
        execution = Execution(parameters, result, status)
        return environment.from_string(self.aliases[alias]["result"]["format"]).render(execution=execution).strip()


def _environment(undefined: Any) -> Any:
    """As in st2common/util/jinja.py, with those of its filters that the aliases use."""
    environment = jinja2.sandbox.SandboxedEnvironment(undefined=undefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["regex_replace"] = lambda text, pattern, new: re.sub(pattern, new, str(text))
    return environment
