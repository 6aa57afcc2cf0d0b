"""Calls the pack's actions as StackStorm does: the class in their file, its configuration, its datastore."""

from __future__ import annotations

import functools
import importlib.util
import inspect
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import yaml

from lab.stackstorm.services import ActionService

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = ROOT / "actions"


@functools.lru_cache(maxsize=None)
def metadata() -> Dict[str, Dict[str, Any]]:
    """Each action's metadata by its name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(ACTIONS.glob("*.yaml"))}


def python_actions() -> List[str]:
    """The names of the actions that are Python."""
    return [name for name, found in metadata().items() if found["runner_type"] == "python-script"]


def action_class(name: str) -> Any:
    """The one class of an action's file, which is in no package."""
    spec = importlib.util.spec_from_file_location(f"action_{name}", ACTIONS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
    assert len(own) == 1
    return own[0]


def call(action: str, config: Mapping[str, Any], /, **parameters: Any) -> Tuple[bool, Dict[str, Any]]:
    """Run an action in this process; `(ok, result)`. The datastore's file is named by the environment."""
    cls = action_class(action)
    service = ActionService("placement_recovery", cls.__name__, "INFO")
    ok, result = cls(config=dict(config), action_service=service).run(**parameters)
    return ok, result
