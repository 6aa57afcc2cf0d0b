"""Runs a Python action in a process of its own and reads its outcome, as StackStorm's python_runner does."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from lab.stackstorm import action_process, standin
from lab.stackstorm.nursery import Child, Nursery
from lab.stackstorm.pack import Action, Pack
from lab.stackstorm.pool import turn

Emit = Callable[[str, str], None]


@dataclass(frozen=True)
class Outcome:
    """How an action or a workflow ended: StackStorm's status (succeeded, failed, timeout, canceled) and result."""

    status: str
    result: Any


@dataclass
class Processes:
    """The running actions' processes, so that they can be killed from another thread."""

    _running: dict[Child, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    @contextlib.contextmanager
    def keep(self, start: Callable[[], Child], task: str) -> Iterator[Child]:
        """Start a process and know it until it has ended; whatever happens, its group is gone afterwards."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the runner is ending")
            process = start()
            self._running[process] = task
        try:
            yield process
        finally:
            with self._lock:
                self._running.pop(process)
            if process.poll() is None:
                kill_group(process)
                process.wait()

    def kill(self, task: str | None = None) -> int:
        """SIGKILL the named task's action, or all of them; how many there were."""
        with self._lock:
            hit = [p for p, name in self._running.items() if task in (None, name) and p.returncode is None]
            for process in hit:
                kill_group(process)
            return len(hit)

    def close(self) -> None:
        """Kill all of them and let no other start."""
        with self._lock:
            self._closed = True
        self.kill()


def kill_group(process: Child) -> None:
    """SIGKILL the process and its children; nothing where they are gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class ActionLauncher:
    """What all actions of one run share: the pack, its configuration, where their processes come from, the pool."""

    pack: Pack
    nursery: Nursery
    config: Mapping[str, Any]
    processes: Processes
    pool: Sequence[int] = ()

    def run(
        self, action: Action, runner: Mapping[str, Any], parameters: Mapping[str, Any], task: str, emit: Emit
    ) -> Outcome:
        """Run the action to its end or its time-out (SIGKILL); ``emit(stream, line)`` gets its output as it comes."""
        with turn(self.pool):
            return self._run(action, runner, parameters, task, emit)

    def _run(
        self, action: Action, runner: Mapping[str, Any], parameters: Mapping[str, Any], task: str, emit: Emit
    ) -> Outcome:
        request = {
            "pack": self.pack.ref,
            "file": str(action.entry_point),
            "library": str(self.pack.folder / "actions" / "lib"),
            "standin": str(standin.FOLDER),
            "config": self.config,
            "parameters": parameters,
            "log_level": runner["log_level"],
        }
        read_fd, write_fd = os.pipe()
        start = functools.partial(self.nursery.start, write_fd, runner.get("env") or {})
        try:
            with os.fdopen(read_fd, "rb") as outcome, self.processes.keep(start, task) as process:
                os.close(write_fd)
                write_fd = -1
                return _follow(process, json.dumps(request).encode(), outcome, runner["timeout"], emit)
        finally:
            if write_fd >= 0:
                os.close(write_fd)


def _follow(process: Child, request: bytes, outcome: IO[bytes], timeout: float, emit: Emit) -> Outcome:
    captured: dict[str, list[str]] = {"stdout": [], "stderr": [], "outcome": []}

    def collect(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            text = line.decode("utf-8", "replace")
            captured[name].append(text)
            if name != "outcome":
                emit(name, text.rstrip("\n"))

    streams = {"stdout": process.stdout, "stderr": process.stderr, "outcome": outcome}
    readers = [threading.Thread(target=collect, args=item, daemon=True) for item in streams.items()]
    for reader in readers:
        reader.start()
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(request)
    _wait(process, timeout)
    for reader in readers:
        reader.join()
    text = {name: "".join(lines) for name, lines in captured.items()}
    return _outcome(process.returncode, text, timeout)


def _wait(process: Child, timeout: float) -> None:
    """Wait for the end, kill at the time-out; children that outlive the action go with it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout)
    kill_group(process)
    process.wait()


def _outcome(exit_code: int, text: Mapping[str, str], timeout: float) -> Outcome:
    if exit_code == action_process.INVALID_STATUS_EXIT_CODE:
        return Outcome("failed", {"error": text["stderr"]})
    answered = exit_code == 0 and text["outcome"]
    answer = json.loads(text["outcome"]) if answered else {"status": None, "result": "None"}
    result = {"stdout": text["stdout"], "stderr": text["stderr"], "exit_code": exit_code, **answer}
    status = result.pop("status")
    # Whoever killed it: StackStorm takes each SIGKILL for its own time-out (st2common/util/green/shell.py).
    if exit_code == -signal.SIGKILL:
        return Outcome("timeout", {**result, "error": f"Action failed to complete in {timeout} seconds"})
    return Outcome("succeeded" if exit_code == 0 and status is not False else "failed", result)
