"""Runs one Python action in this process: started by the runner with the pack's Python (3.8 and later).

The request comes as JSON on stdin, the outcome goes as JSON to the file descriptor in argv[1]; stdout and stderr are
the action's. How the class is found, made and run follows StackStorm's python_action_wrapper.py and util/loader.py.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
from typing import Any, Dict, List, Type

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INVALID_STATUS_EXIT_CODE = 220  # st2common/constants/runners.py


def main() -> None:
    """Run the action that stdin asks for and write what it returned; an exception ends the process with its trace."""
    outcome_fd = int(sys.argv[1])
    os.set_inheritable(outcome_fd, False)
    request = json.load(sys.stdin)
    services = _services()
    _prepare_path(request)
    outcome = _outcome(_instance(request, services).run(**request["parameters"]))
    with os.fdopen(outcome_fd, "w", encoding="utf-8") as out:
        json.dump(outcome, out)


def _services() -> Any:
    """What StackStorm hands to actions; neither this script's folder nor the lab's stays on the action's path."""
    sys.path[0] = ROOT
    services = importlib.import_module("lab.stackstorm.services")
    sys.path.pop(0)
    return services


def _prepare_path(request: Dict[str, Any]) -> None:
    sys.path.insert(0, request["library"])
    if importlib.util.find_spec("st2common") is None:
        sys.path.append(request["standin"])
    sys.path.append(os.path.dirname(os.path.realpath(request["file"])))


def _instance(request: Dict[str, Any], services: Any) -> Any:
    cls = _action_class(request["file"])
    service = services.ActionService(request["pack"], cls.__name__, request["log_level"])
    return cls(config=request["config"], action_service=service)


def _action_class(path: str) -> Type[Any]:
    """The one class in the file that has a run(); the module is not put into sys.modules, as in StackStorm."""
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: List[Type[Any]] = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and callable(getattr(cls, "run", None))
    ]
    if len(found) != 1:
        raise ImportError(f"{path} has {len(found)} classes with a run(), not one")
    return found[0]


def _outcome(returned: Any) -> Dict[str, Any]:
    status, result = returned if isinstance(returned, tuple) and len(returned) == 2 else (None, returned)
    if status is not None and not isinstance(status, bool):
        sys.stderr.write(f"Status returned from run() must either be True or False, got: {status}\n")
        sys.exit(INVALID_STATUS_EXIT_CODE)
    try:
        json.dumps(result)
    except (TypeError, ValueError):
        result = str(result)
    return {"status": status, "result": result}


if __name__ == "__main__":
    main()
