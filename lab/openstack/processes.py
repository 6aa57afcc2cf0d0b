"""Processes that one command may start and another one stop: found by a mark in their environment, not by memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lab.waiting import LabError, tail_of, wait_until

MARK = "PLACEMENT_RECOVERY_LAB_FOLDER"  # in the environment of each process of a lab; its value is the lab's folder
STOP_SECONDS = 60.0


class Process:
    """A service of a lab: its command, its log, and the file that holds its process id."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.name, self.command = name, command
        self.environment = {**environment, MARK: str(folder)}
        self.log = folder / "logs" / f"{name}.log"
        self._folder = folder
        self._pid_file = folder / "run" / f"{name}.pid"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it lives, whoever started it; None if it does not."""
        if self._child:
            # For a moment after its start its environment cannot be read yet.
            if self._child.poll() is None:
                return self._child.pid
            self._child = None
        recorded = self._pid_file.read_text() if self._pid_file.exists() else ""
        return int(recorded) if recorded and _belongs(int(recorded), self._folder) else None

    def start(self) -> None:
        """Starts it in a session of its own, its output appended to its log; LabError if it runs already."""
        if self.pid:
            raise LabError(f"{self.name} runs already, as process {self.pid}")
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command,
                cwd=self._folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._child.pid))

    def stop(self, hard: bool = False) -> None:
        """Ends it and what it has forked: politely with SIGTERM first, or at once with SIGKILL. Twice is fine."""
        pid = self.pid
        if pid is None:
            return
        if not hard:
            _signal_session(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self.pid and time.monotonic() < deadline:
                time.sleep(0.1)
        _signal_session(pid, signal.SIGKILL)
        wait_until(f"{self.name} ends", lambda: self.pid is None, 10, self.log)

    def pause(self) -> None:
        """Freezes it (SIGSTOP): connections are accepted by the kernel, nobody answers."""
        _signal_session(self.require(), signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a frozen one go on."""
        _signal_session(self.require(), signal.SIGCONT)

    def require(self) -> int:
        """The process id; LabError, with the end of the log, if it does not run."""
        pid = self.pid
        if pid is None:
            raise LabError(f"{self.name} does not run{tail_of(self.log)}")
        return pid


def kill_all(folder: Path) -> None:
    """Kills every process of the lab in ``folder``, whoever started it, and waits until none is left."""
    deadline = time.monotonic() + 10
    while pids := list(marked(folder)):
        if time.monotonic() > deadline:
            raise LabError(f"processes {pids} of the lab in {folder} do not end")
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.05)


def marked(folder: Path) -> Iterator[int]:
    """The ids of all living processes that bear the mark of the lab in ``folder``, but for this process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(int(entry.name), folder):
            yield int(entry.name)


def _belongs(pid: int, folder: Path) -> bool:
    """Whether a process lives and is of this lab; process ids are used again, so a number alone proves nothing."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it ended meanwhile, or is another user's
        return False
    return state not in "ZX" and f"{MARK}={folder}".encode() in environment.split(b"\0")


def _signal_session(pid: int, number: signal.Signals) -> None:
    """To the process and all that it has forked: each service leads a session, and a group, of its own."""
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.killpg(pid, number)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.kill(pid, number)
