"""The pack's configuration as StackStorm gives it to actions (st2common/util/config_loader.py, pack.py)."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.stackstorm import parameters, schema
from lab.stackstorm.pack import Pack, PackError, load_document

Read = Callable[[str], "str | None"]


class Lookup:
    """``st2kv.system`` in a template: each name goes one step further, the string is the key's value or empty."""

    def __init__(self, read: Read, key: str = "") -> None:
        self._read, self._key = read, key

    def __getattr__(self, name: str) -> Lookup:
        if name.startswith("__"):
            raise AttributeError(name)
        return Lookup(self._read, f"{self._key}.{name}" if self._key else name)

    __getitem__ = __getattr__

    def __str__(self) -> str:
        return self._read(self._key) or ""


def load(pack: Pack, given: Mapping[str, Any] | Path | None, read: Read) -> dict[str, Any]:
    """The configuration with datastore references resolved and defaults filled in; PackError where it is invalid.

    ``given`` is the file or its content. What ``st2-register-content`` would refuse is refused here.
    """
    values = load_document(given) if isinstance(given, Path) else dict(given or {})
    try:
        schema.validate(values, pack.config_schema, additional=True)
    except schema.Invalid as error:
        raise PackError(f"Failed validating the config of pack {pack.ref}: {error}") from error
    return _defaults(_dynamic(values, {"st2kv": {"system": Lookup(read)}}), pack.config_schema)


def _dynamic(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _dynamic(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_dynamic(item, scope) for item in value]
    if not parameters.is_template(value):
        return value
    # A key that is not there silently becomes None, seen on StackStorm 3.9.
    return parameters.render(value, scope) or None


def _defaults(values: dict[str, Any], specs: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in defaults where a key is absent, down through objects and lists; None that was given stays."""
    for name, spec in specs.items():
        if "default" in spec and name not in values:
            values[name] = copy.deepcopy(spec["default"])
        if spec.get("type") == "object" and _nested(spec):
            values[name] = _defaults(values.get(name) or {}, _properties(spec, values.get(name) or {}))
        elif spec.get("type") == "array" and isinstance(spec.get("items"), dict):
            values[name] = values.get(name) or []
            sub = spec["items"].get("properties", {})
            values[name] = [_defaults(i, sub) if isinstance(i, dict) else i for i in values[name]]
    return values


def _nested(spec: Mapping[str, Any]) -> bool:
    return any(spec.get(key) for key in ("properties", "patternProperties", "additionalProperties"))


def _properties(spec: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Each key's schema: from properties, else the patterns it matches, else additionalProperties."""
    found = dict(spec.get("properties") or {})
    additional = spec.get("additionalProperties")
    for key in values:
        if key in found:
            continue
        matching = [s for p, s in (spec.get("patternProperties") or {}).items() if re.search(p, key)]
        found[key] = {k: v for s in matching for k, v in s.items()}
        if not matching and isinstance(additional, dict):
            found[key] = additional
    return found
