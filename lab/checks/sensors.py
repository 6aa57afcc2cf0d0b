"""The sensors' metadata and code, read and not imported."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from typing import Any

from lab.checks.subject import Subject
from lab.stackstorm import schema

# st2common/models/api/sensor.py, SensorTypeAPI; description and enabled are required by this project.
_METADATA: dict[str, Any] = {
    "class_name": {"type": "string", "required": True},
    "entry_point": {"type": "string", "required": True},
    "description": {"type": "string", "required": True},
    "enabled": {"type": "boolean", "required": True},
    "pack": {"type": "string"},
    # st2reactor/container/process_container.py refuses a smaller value, and with it the registration.
    "poll_interval": {"type": "number", "minimum": 4},
    "trigger_types": {"type": "array", "items": {"type": "object"}},
}
# The abstract methods of st2reactor/sensor/base.py that the loader requires.
_SEQUENCES = {"setup", "cleanup", "add_trigger", "update_trigger", "remove_trigger"}
# StackStorm's own packages come first in a sensor's process, and keystoneauth1 cannot be imported beside them.
_FOREIGN = ("openstack", "keystoneauth1", "jsonschema", "yaml")


def sensors_are_known_to_stackstorm(subject: Subject) -> list[str]:
    """No unknown keys, the pack's name, and no trigger that triggers/ defines already."""
    found = []
    own = {trigger.get("name") for trigger in subject.triggers.values()}
    for path, sensor in subject.sensors.items():
        try:
            schema.validate(sensor, _METADATA)
        except schema.Invalid as error:
            found.append(f"{path}: {error}")
        if sensor.get("pack", subject.ref) != subject.ref:
            found.append(f"{path}: its pack is {sensor['pack']!r}, not {subject.ref!r}")
        twice = [one.get("name") for one in sensor.get("trigger_types") or [] if isinstance(one, dict)]
        found += [f"{path}: the trigger {name} is in triggers/ already" for name in twice if name in own]
    return found


def sensors_can_be_loaded(subject: Subject) -> list[str]:
    """The file exists and has the class with each method that StackStorm calls, and imports no OpenStack."""
    found, used = [], set()
    for path, sensor in subject.sensors.items():
        file = subject.folder / "sensors" / str(sensor.get("entry_point"))
        used.add(file.name)
        if not file.is_file():
            found.append(f"{path}: the entry point sensors/{sensor.get('entry_point')} does not exist")
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
        found += [f"sensors/{file.name}: {problem}" for problem in _problems(tree, sensor)]
    for file in sorted((subject.folder / "sensors").glob("*.py")):
        if file.name not in used:
            found.append(f"sensors/{file.name}: no sensor has it as its entry point")
    return found


def library_is_linked(subject: Subject) -> list[str]:
    """A sensor can import only from sensors/, so a link there leads to each package of the library."""
    found = []
    for package in sorted((subject.folder / "lib").glob("*/__init__.py")) if subject.sensors else []:
        name = package.parent.name
        link, target = subject.folder / "sensors" / name, f"../lib/{name}"
        if not link.is_symlink() or os.readlink(link) != target:
            found.append(f"sensors/{name}: is no symbolic link to {target}")
    return found


def _problems(tree: ast.Module, sensor: Mapping[str, Any]) -> Iterator[str]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if [node.name for node in classes] != [sensor.get("class_name")]:
        yield f"holds {', '.join(node.name for node in classes) or 'no class'}, not {sensor.get('class_name')} alone"
        return
    polls = "poll_interval" in sensor
    base, needed = ("PollingSensor", {"poll"}) if polls else ("Sensor", {"run"})
    if base not in {ast.unparse(one).split(".")[-1] for one in classes[0].bases}:
        yield f"{classes[0].name} is no {base}, and its metadata has {'a' if polls else 'no'} poll_interval"
    methods = {node.name for node in classes[0].body if isinstance(node, ast.FunctionDef)}
    for name in sorted((_SEQUENCES | needed) - methods):
        yield f"{classes[0].name} has no method {name}"
    for name in sorted(_imports(tree)):
        if name.split(".")[0] in _FOREIGN:
            yield f"imports {name}, which a sensor must not"


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
