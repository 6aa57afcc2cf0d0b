"""The engine's process: runs one action or workflow and tells of it in JSON lines (started by ``runner``).

The first line of stdin is the request, later ones are commands (cancel, kill, crash). The end of stdin means that the
caller is gone: then all actions are killed and the engine ends. stdout carries the events and nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from lab.stackstorm import configuration, pack, parameters, rules, shims
from lab.stackstorm.execution import Run, read_datastore
from lab.stackstorm.nursery import Nursery, outer_environment
from lab.stackstorm.python_action import ActionLauncher, Processes


class Events:
    """Writes events to the stdout that the engine was started with, which nothing else can reach any more."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._lock = threading.Lock()
        os.dup2(2, 1)

    def emit(self, event: str, **about: Any) -> None:
        """Write one event; a caller that is gone is noticed at stdin."""
        with self._lock:
            self._out.write(json.dumps({"event": event, **about}, default=str) + "\n")
            self._out.flush()


def main() -> None:
    """Serve one request."""
    events, processes = Events(), Processes()
    signal.signal(signal.SIGTERM, lambda *_: _end(processes))
    request = json.loads(sys.stdin.readline())
    try:
        loaded = pack.load_pack(Path(request["pack"]))
        if request["op"] == "list":
            _list(loaded, events)
        elif request["op"] == "match":
            _match(loaded, request, events)
        else:
            _run(loaded, request, events, processes)
    except (pack.PackError, parameters.ParameterError) as error:
        events.emit("refused", message=str(error))
    # Not by way of the interpreter's own end, which would wait for the thread that reads commands.
    _end(processes, 0)


def _list(loaded: pack.Pack, events: Events) -> None:
    for action in loaded.actions.values():
        values = {"ref": action.ref, "runner": action.runner_type, "description": action.description}
        events.emit("action", **values, parameters=action.parameters)
    events.emit("listed")


def _match(loaded: pack.Pack, request: dict[str, Any], events: Events) -> None:
    parameters, payload = request["parameters"], request["payload"]
    for rule in rules.judge(loaded.folder, loaded.ref, request["trigger"], parameters, payload):
        events.emit("matched", rule=rule.ref, action=rule.action, parameters=rule.parameters)
    events.emit("judged")


def _run(loaded: pack.Pack, request: dict[str, Any], events: Events, processes: Processes) -> None:
    if loaded.action(request["action"]).runner_type == "orquesta":
        shims.load_orquesta({"st2kv": st2kv})
    given = request["config"]
    config = configuration.load(
        loaded,
        Path(given) if isinstance(given, str) else given,
        lambda key: read_datastore(key, decrypt=True),
    )
    environment = {**outer_environment(), "ST2_ACTION_PACK_NAME": loaded.ref}
    nursery = Nursery(socket.socket(fileno=request["nursery"]), environment)
    launcher = ActionLauncher(loaded, nursery, config, processes, request["pool"])
    run = Run(loaded, launcher, events.emit)
    threading.Thread(target=_obey, args=(run, processes), daemon=True).start()
    context = {"pack": loaded.ref, **request["context"]}
    name = request["action"].split(".")[-1]
    more = {} if request["trigger"] is None else {"trigger": request["trigger"]}
    root = run.request(request["action"], request["parameters"], context, (name,), more=more)
    outcome = root.perform()
    # A workflow knows by itself; a Python action ran to its end, and StackStorm calls it canceled all the same.
    canceled = run.canceled.is_set() and root.action.runner_type != "orquesta"
    events.emit("finished", status="canceled" if canceled else outcome.status, result=outcome.result)


def _obey(run: Run, processes: Processes) -> None:
    for line in sys.stdin:
        command = json.loads(line)
        if command["op"] == "cancel":
            run.cancel()
        elif command["op"] == "kill":
            processes.kill(command["task"])
    _end(processes)


def _end(processes: Processes, code: int = 1) -> NoReturn:
    """The end without any more ado: nothing that an action of this run is doing may go on."""
    processes.close()
    os._exit(code)


def st2kv(context: Any, key: str, **options: Any) -> str | None:
    """``st2kv('system.name', default => ..., decrypt => ...)`` in a workflow (orquesta_functions/st2kv.py)."""
    if not key.startswith("system."):
        raise ValueError(f"st2kv('{key}'): only system keys are here, 'system.NAME'")
    value = read_datastore(key.split(".", 1)[1], decrypt=options.get("decrypt", False))
    if value is None and "default" not in options:
        raise ValueError(f"The key {key} does not exist in the datastore.")
    return options.get("default") if value is None else value


if __name__ == "__main__":
    main()
