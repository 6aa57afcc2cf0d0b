"""Runs an action or a workflow of the pack in an engine of its own and hears of each task (standard library only).

running = runner.start("placement_recovery.recover_host", {"host": "compute-0"}, config=..., datastore=...)
running.wait_for("started", "save")
running.cancel()
execution = running.wait()
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lab.environments import ensure
from lab.stackstorm.nursery import mother
from lab.stackstorm.pool import Pool
from lab.stackstorm.triggers import PATH_VARIABLE

ROOT = Path(__file__).resolve().parents[2]

Event = Mapping[str, Any]
OnEvent = Callable[[Event], None]


class Refused(Exception):
    """StackStorm would not have accepted the request: parameters, configuration or pack; the message says what."""


class EngineError(Exception):
    """The engine itself broke; the message holds the end of its log."""


@dataclass(frozen=True)
class TaskExecution:
    """One execution of a task's action; ``path`` leads to it from the root, times are seconds since the epoch."""

    name: str
    path: tuple[str, ...]
    action: str | None
    status: str
    result: Any
    started: float
    ended: float | None
    item: int | None = None


@dataclass(frozen=True)
class Execution:
    """How it ended: StackStorm's status (succeeded, failed, timeout, canceled) or ``abandoned`` after a crash."""

    action: str
    status: str
    result: Any
    tasks: tuple[TaskExecution, ...]

    @property
    def output(self) -> Any:
        """A workflow's output, or what a Python action returned."""
        result = self.result or {}
        return result.get("output", result.get("result"))


class Running:
    """An execution under way, in an engine that ends with it, or with this process."""

    def __init__(self, action: str, request: Mapping[str, Any], datastore: Path | None, on_event: OnEvent) -> None:
        self._action, self._on_event = action, on_event
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._crashed = False
        self._ended = threading.Event()
        self._cleanup = contextlib.ExitStack()
        self._log: IO[bytes] = self._cleanup.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by close()
        nursery = [request["nursery"]] if "nursery" in request else []
        self._engine = self._start(datastore, [*request.get("pool", ()), *nursery])
        threading.Thread(target=self._read, daemon=True).start()
        self._send(request)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cancel(self) -> None:
        """Like StackStorm: the running action is not stopped, no further task starts, the status is canceled."""
        self._send({"op": "cancel"})

    def kill(self, task: str | None = None) -> None:
        """SIGKILL the process of the named task's action, or of each running one; StackStorm calls it a time-out."""
        self._send({"op": "kill", "task": task})

    def crash(self) -> None:
        """Let everything die at once, actions and engine, as if the machine had: no failure route runs."""
        self._crashed = True
        self._hang_up()

    def wait_for(self, event: str, task: str, timeout: float = 60, times: int = 1) -> Event:
        """Wait until that event (started, ended, output) has come for that task; TimeoutError, or EngineError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._over or self._seen(event, task, times), timeout):
                raise TimeoutError(f"{task} has not {event} within {timeout} s")
            found = self._seen(event, task, times)
        if found is None:
            raise EngineError(f"{self._action} ended and {task} had not {event}")
        return found

    def wait(self, timeout: float | None = None) -> Execution:
        """Wait for the end; Refused if there was no beginning, TimeoutError if there is no end (it goes on)."""
        # Not by joining the thread: an interrupted join takes it for ended (Python 3.11).
        if not self._ended.wait(timeout):
            raise TimeoutError(f"{self._action} has not ended within {timeout} s")
        try:
            return self._execution()
        finally:
            self.close()

    def until_ended(self) -> list[Event]:
        """Wait for the engine's end; all that it told."""
        self._ended.wait()
        return self.events

    def close(self) -> None:
        """Kill what still runs and clean up; nothing where it has ended."""
        self._hang_up()
        self._engine.wait()
        self._ended.wait()
        if not self._log.closed:
            self._log.seek(0)
            self._said = self._log.read().decode("utf-8", "replace")
        self._cleanup.close()

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        with self._changed:
            return list(self._events)

    def _start(self, datastore: Path | None, inherited: Collection[int]) -> subprocess.Popen[str]:
        if datastore is None:
            folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="datastore-"))
            datastore = Path(folder) / "datastore.sqlite"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), PATH_VARIABLE: str(datastore.absolute())}
        return subprocess.Popen(
            [str(ensure("orquesta") / "bin" / "python"), "-m", "lab.stackstorm.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            pass_fds=inherited,
            text=True,
            start_new_session=True,  # a Ctrl-C in the terminal is the caller's to handle
        )

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._engine.stdin
        with contextlib.suppress(BrokenPipeError, ValueError):  # it has ended: there is nobody to tell
            self._engine.stdin.write(json.dumps(message, default=str) + "\n")
            self._engine.stdin.flush()

    def _hang_up(self) -> None:
        assert self._engine.stdin
        with contextlib.suppress(BrokenPipeError):
            self._engine.stdin.close()

    def _read(self) -> None:
        assert self._engine.stdout
        try:
            for line in self._engine.stdout:
                self._take(json.loads(line))
        except BaseException as failure:  # raised again by wait(), in the caller's thread
            self._failure = failure
            self._hang_up()
        finally:
            self._ended.set()
            with self._changed:
                self._changed.notify_all()

    def _take(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()
        self._on_event(event)

    @property
    def _over(self) -> bool:
        return self._ended.is_set() or bool(self._events and self._events[-1]["event"] in ("finished", "refused"))

    def _seen(self, event: str, task: str, times: int) -> Event | None:
        found = [e for e in self._events if e["event"] == event and e.get("path", [""])[-1] == task]
        return found[times - 1] if len(found) >= times else None

    def _execution(self) -> Execution:
        if self._failure:
            raise self._failure
        last = self._events[-1] if self._events else {"event": ""}
        if last["event"] == "refused":
            raise Refused(last["message"])
        if last["event"] != "finished":
            if not self._crashed:
                self.close()
                raise EngineError(f"the engine ended early: {self._said.strip()[-2000:]}")
            last = {"status": "abandoned", "result": None}
        return Execution(self._action, last["status"], last["result"], _tasks(self._events))


def start(
    action: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    config: Mapping[str, Any] | Path | None = None,
    datastore: Path | None = None,
    user: str = "stanley",
    api_user: str | None = None,
    trigger: Mapping[str, Any] | None = None,
    on_event: OnEvent = lambda _event: None,
    pack: Path = ROOT,
    python: Path | None = None,
    pool: Pool | None = None,
) -> Running:
    """Start an action by its reference.

    ``config`` is the pack's configuration or its file; without ``datastore`` a new one is made and thrown away;
    ``python`` runs the actions, by default that of the environment ``pack``; ``api_user`` is who typed it in a chat,
    ``trigger`` the payload that a rule's parameters are rendered with; executions share what actions may run at once by
    one ``pool``.
    ``on_event`` is called in another thread.
    """
    request = {
        "op": "run",
        "pack": str(pack.absolute()),
        "action": action,
        "parameters": dict(parameters or {}),
        "config": str(config.absolute()) if isinstance(config, Path) else config,
        "context": {"user": user, **({"api_user": api_user} if api_user else {})},
        "trigger": trigger,
        "nursery": mother(python or ensure("pack") / "bin" / "python").socket.fileno(),
        "pool": pool.fds if pool else (),
    }
    return Running(action, request, datastore, on_event)


def run(action: str, parameters: Mapping[str, Any] | None = None, **options: Any) -> Execution:
    """Run an action to its end; see start() for the options."""
    with start(action, parameters, **options) as running:
        return running.wait()


def list_actions(pack: Path = ROOT) -> list[Event]:
    """The pack's actions: ref, runner, description and parameters of each; Refused where the pack is broken."""
    with Running("list", {"op": "list", "pack": str(pack.absolute())}, None, lambda _event: None) as running:
        events = running.until_ended()
    if not events or events[-1]["event"] != "listed":
        raise Refused(events[-1]["message"] if events else "the engine ended early")
    return [event for event in events if event["event"] == "action"]


def _tasks(events: list[Event]) -> tuple[TaskExecution, ...]:
    """Each task's execution in the order of their starts; the root is no task."""
    ends = {event["id"]: event for event in events if event["event"] == "ended"}
    tasks = []
    for event in events:
        if event["event"] == "started" and len(event["path"]) > 1:
            end = ends.get(event["id"], {})
            tasks.append(
                TaskExecution(
                    name=event["path"][-1],
                    path=tuple(event["path"]),
                    action=event["action"],
                    status=end.get("status", "running"),
                    result=end.get("result"),
                    started=event["time"],
                    ended=end.get("time"),
                    item=event["item"],
                )
            )
    return tuple(tasks)
