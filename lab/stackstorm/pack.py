"""The pack's metadata as StackStorm's content loader reads it: pack.yaml, actions/*.yaml, config.schema.yaml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
METADATA_SUFFIXES = (".json", ".yaml", ".yml")

_LOG_LEVELS = ["AUDIT", "CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"]
# The parameters that StackStorm's runners add to each action of theirs: contrib/runners/*/runner.yaml.
RUNNERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "python-script": {
        "debug": {"type": "boolean", "default": False},
        "content_version": {"type": "string"},
        "env": {"type": "object"},
        "timeout": {"type": "integer", "default": 600},
        "log_level": {"type": "string", "default": "DEBUG", "enum": _LOG_LEVELS},
    },
    "orquesta": {"notify": {"type": "array", "default": [], "uniqueItems": True, "items": {"type": "string"}}},
    "noop": {},
}


class PackError(Exception):
    """The pack cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Action:
    """One action's metadata; ``entry_point`` is the absolute path of its .py or workflow."""

    ref: str
    runner_type: str
    entry_point: Path
    parameters: Mapping[str, Mapping[str, Any]]
    description: str = ""
    enabled: bool = True

    @property
    def runner_parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters that come from the action's runner."""
        return RUNNERS[self.runner_type]


# The stock actions that a workflow may use here, with the parameters of contrib/core/actions/*.yaml.
CORE_ACTIONS: Mapping[str, Action] = {
    "core.noop": Action("core.noop", "noop", Path(), {}, "Action that does nothing"),
    "core.echo": Action(
        "core.echo", "noop", Path(), {"message": {"type": "string", "required": True}}, "Prints a message"
    ),
}


@dataclass(frozen=True)
class Pack:
    """A pack on disk: its reference, its actions by reference, and the schema of its configuration."""

    folder: Path
    ref: str
    actions: Mapping[str, Action]
    config_schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def action(self, ref: str) -> Action:
        """The action of that reference, of the pack or of core; PackError where there is none."""
        found = self.actions.get(ref) or CORE_ACTIONS.get(ref)
        if found is None:
            raise PackError(f'Action "{ref}" cannot be found in {self.folder} ({len(self.actions)} actions).')
        return found


def load_pack(folder: Path) -> Pack:
    """Read the pack's metadata; PackError names the file that is missing or broken."""
    manifest = load_document(folder / "pack.yaml")
    ref = manifest.get("ref") or manifest.get("name")
    if not ref:
        raise PackError(f"{folder / 'pack.yaml'}: neither ref nor name is given")
    actions = [_action(ref, path) for path in metadata_files(folder / "actions")]
    schema = folder / "config.schema.yaml"
    return Pack(
        folder=folder,
        ref=ref,
        actions={action.ref: action for action in actions},
        config_schema=load_document(schema) if schema.exists() else {},
    )


def metadata_files(folder: Path) -> list[Path]:
    """The metadata in a folder, one level deep, as st2common/bootstrap/base.py looks for it."""
    return sorted(path for path in folder.glob("*.*") if path.suffix in METADATA_SUFFIXES)


def load_document(path: Path) -> Any:
    """The mapping in a YAML or JSON file; PackError where it cannot be read or is no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.load(text, _LOADER)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PackError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise PackError(f"{path}: a mapping is expected, not {type(document).__name__}")
    return document


def _action(pack: str, path: Path) -> Action:
    metadata = load_document(path)
    try:
        name, runner_type = metadata["name"], metadata["runner_type"]
    except KeyError as missing:
        raise PackError(f"{path}: {missing} is missing") from missing
    if runner_type not in RUNNERS:
        raise PackError(f"{path}: the runner {runner_type!r} is not one of {', '.join(RUNNERS)}")
    return Action(
        ref=f"{pack}.{name}",
        runner_type=runner_type,
        entry_point=path.parent / metadata.get("entry_point", ""),
        parameters=metadata.get("parameters") or {},
        description=metadata.get("description", ""),
        enabled=metadata.get("enabled", True),
    )
