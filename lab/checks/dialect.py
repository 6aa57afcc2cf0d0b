"""StackStorm's schema for parameters' schemas (st2common/util/schema: action_params.json, custom.json)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft4Validator, RefResolver

from lab.stackstorm import schema
from lab.stackstorm.parameters import is_template


def _custom() -> dict[str, Any]:
    """Draft 4, with a boolean ``required``, ``secret``, ``immutable`` and ``position``, and no unknown keys."""
    custom: dict[str, Any] = copy.deepcopy(Draft4Validator.META_SCHEMA)
    custom.pop("id", None)
    flag = {"type": "boolean"}
    custom["properties"].update(
        required=flag, secret=flag, immutable=flag, position={"type": "number", "minimum": 0}, format={"type": "string"}
    )
    custom["additionalProperties"] = False
    return custom


_CUSTOM = _custom()
# The first level allows one type only, and no format; nested schemas are validated with the custom schema.
_FIRST_LEVEL = copy.deepcopy(_CUSTOM)
_FIRST_LEVEL["properties"]["type"] = {"$ref": "#/definitions/simpleTypes"}
del _FIRST_LEVEL["properties"]["format"]


def schema_problems(spec: Any) -> list[str]:
    """Return why StackStorm refuses the schema of one parameter or configuration item."""
    validator = Draft4Validator(_FIRST_LEVEL, resolver=RefResolver("", _CUSTOM))
    errors = sorted(validator.iter_errors(spec), key=lambda error: [str(part) for part in error.path])
    return [": ".join(filter(None, (".".join(map(str, error.path)), error.message))) for error in errors]


def default_problems(spec: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a default, nested ones included; a template has no type before it is rendered."""
    nested = [
        f"{name}: {problem}"
        for name, sub in (spec.get("properties") or {}).items()
        if isinstance(sub, dict)
        for problem in default_problems(sub)
    ]
    return [*_own_default_problems(spec), *nested]


def _own_default_problems(spec: Mapping[str, Any]) -> list[str]:
    default = spec.get("default")
    if is_template(default):
        if spec.get("immutable") and spec.get("type", "string") != "string":
            # services/action.py, create_request: the default is validated as it stands.
            return [f"an immutable template has to be of type string, not {spec['type']}"]
        return []
    try:
        schema.validate({} if default is None else {"default": default}, {"default": {**spec, "required": False}})
    except schema.Invalid as error:
        return [str(error)]
    return []
