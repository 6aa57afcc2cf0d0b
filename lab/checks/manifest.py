"""pack.yaml, config.schema.yaml, its example, and the links that make the library importable."""

from __future__ import annotations

import os
import re
from typing import Any

from lab.checks.dialect import default_problems, schema_problems
from lab.checks.subject import Subject
from lab.stackstorm import schema
from lab.stackstorm.pack import PackError, load_document

# st2common/constants/pack.py
_REF = r"^[a-z0-9_]+$"
_PRE_RELEASE = r"(?:-[\da-z\-]+(?:\.[\da-z\-]+)*)?(?:\+[\da-z\-]+(?:\.[\da-z\-]+)*)?"
_VERSION = r"^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)" + _PRE_RELEASE + "$"
_ST2_VERSION = r"^((>?>|>=|=|<=|<?<)\s*[0-9]+\.[0-9]+\.[0-9]+?(\s*,)?\s*)+$"

_STRINGS = {"type": "array", "items": {"type": "string"}}
# st2common/models/api/pack.py. It does not require ref, email and keywords, but reads email unconditionally, and the
# exchange requires keywords; it silently accepts an unknown key, which is a misspelling.
_MANIFEST: dict[str, Any] = {
    "name": {"type": "string", "required": True},
    "ref": {"type": "string", "pattern": _REF, "required": True},
    "description": {"type": "string", "required": True},
    "version": {"type": "string", "pattern": _VERSION, "required": True},
    "author": {"type": "string", "required": True},
    "email": {"type": "string", "pattern": "@", "required": True},
    "keywords": {**_STRINGS, "required": True},
    "python_versions": {"type": "array", "items": {"enum": ["2", "3"]}, "minItems": 1, "required": True},
    "stackstorm_version": {"type": "string", "pattern": _ST2_VERSION, "required": True},
    "contributors": _STRINGS,
    "dependencies": _STRINGS,
    "system": {"type": "object"},
}
_LINKS = {"actions/lib": "../lib", "actions/workflows": "../workflows"}


def files_are_readable(subject: Subject) -> list[str]:
    """Every metadata file and workflow is YAML with a mapping in it."""
    return list(subject.unreadable)


def pack_is_described(subject: Subject) -> list[str]:
    """pack.yaml is valid for StackStorm's PackAPI."""
    try:
        schema.validate(subject.manifest, _MANIFEST)
    except schema.Invalid as error:
        return [f"pack.yaml: {error}"]
    return []


def configuration_is_described(subject: Subject) -> list[str]:
    """Each configuration item has a valid schema (models/api/pack.py, ConfigSchemaAPI), a description and a type.

    One that takes values of several types has their enum.
    """
    found = []
    for name, spec in subject.config_schema.items():
        typed = "enum" if "enum" in spec else "type"
        problems = [*schema_problems(spec), *missing(spec, "description", typed)]
        if not re.match(r"^\w+$", name):
            problems.append("its name may only have letters, digits and underscores")
        found += [f"config.schema.yaml: {name}: {problem}" for problem in problems or default_problems(spec)]
    return found


def example_fits_the_schema(subject: Subject) -> list[str]:
    """The example of a configuration, if there is one, is valid and has no unknown item."""
    path = subject.folder / f"{subject.ref}.yaml.example"
    if not path.exists():
        return []
    # load_document reads any suffix but .json as YAML.
    try:
        schema.validate(load_document(path), subject.config_schema)
    except (schema.Invalid, PackError) as error:
        return [f"{path.name}: {error}"]
    return []


def links_are_there(subject: Subject) -> list[str]:
    """actions/lib and actions/workflows are relative links: without them neither library nor workflows are found."""
    found = []
    for link, target in _LINKS.items():
        path = subject.folder / link
        if not path.is_symlink():
            found.append(f"{link}: is no symbolic link; it has to lead to {target}")
        elif os.readlink(path) != target:
            found.append(f"{link}: leads to {os.readlink(path)}, not to {target}")
    return found


def missing(spec: Any, *keys: str) -> list[str]:
    """Return one sentence for each of the keys that a mapping lacks."""
    return [f"{key} is missing" for key in keys if isinstance(spec, dict) and not spec.get(key)]
