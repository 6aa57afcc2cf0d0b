"""StackStorm's own dialect of JSON Schema (st2common/util/schema): draft 4, but ``required`` stands at each property.

Defaults are filled in before a value is validated, and None passes where nothing else is required.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from jsonschema import validators

ANY_TYPE = {"anyOf": [{"type": t} for t in ("array", "boolean", "integer", "number", "object", "string")]}

Validator: Any = validators.extend(
    validators.Draft4Validator,
    {"properties": validators.Draft3Validator.VALIDATORS["properties"], "required": None},
)


class Invalid(ValueError):
    """A value breaks its schema; the message names the value's place and the rule."""


def validate(values: Mapping[str, Any], properties: Mapping[str, Any], *, additional: bool = False) -> dict[str, Any]:
    """The values with defaults filled in; Invalid for the first breach of the properties' schemas."""
    schema = {
        "type": "object",
        "properties": {name: allow_none(spec) if spec else ANY_TYPE for name, spec in properties.items()},
        "additionalProperties": additional,
    }
    filled = fill_defaults(values, properties)
    for error in sorted(Validator(schema).iter_errors(filled), key=lambda e: [str(part) for part in e.path]):
        place = ".".join(str(part) for part in error.path)
        raise Invalid(f"{place}: {error.message}" if place else error.message)
    return filled


def fill_defaults(values: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the values, with each missing or None one replaced by its schema's default, also in objects."""
    filled = dict(copy.deepcopy(values))
    for name, spec in properties.items():
        if "default" in spec and filled.get(name) is None:
            filled[name] = copy.deepcopy(spec["default"])
        if isinstance(filled.get(name), dict) and spec.get("properties"):
            filled[name] = fill_defaults(filled[name], spec["properties"])
    return filled


def allow_none(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that also takes None where the property is optional or has a default of None."""
    relaxed = dict(spec)
    if spec.get("properties"):
        relaxed["properties"] = {name: allow_none(sub) for name, sub in spec["properties"].items()}
    optional = not spec.get("required", False) or "default" in spec
    if not optional or spec.get("default") is not None:
        return relaxed
    for key in ("anyOf", "oneOf"):
        if key in spec:
            relaxed[key] = [*spec[key], {"type": "null"}]
            return relaxed
    types = spec.get("type", "string")
    types = types if isinstance(types, list) else [types]
    relaxed["type"] = [*types, *({"null"} - set(types))]
    return relaxed
