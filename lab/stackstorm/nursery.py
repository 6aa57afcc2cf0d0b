"""Starts the processes of actions: forks of one that has the imports behind it.

Each action is a process of its own, as in StackStorm, and each would spend a second on importing openstacksdk. The
forks come from the pack's Python, and bring none of the pack's own modules with them.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from lab.stackstorm import action_process

# Where the lab's own processes find their modules; an action or a sensor must not see it.
_PRIVATE_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class Child:
    """A process as subprocess.Popen shows it; its end comes over a pipe, for another process is its parent."""

    def __init__(self, status_fd: int, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.returncode: int | None = None
        self._status_fd = status_fd
        self._lock = threading.Lock()
        self.pid = self._read()

    def poll(self) -> int | None:
        """The exit code, or minus the signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises subprocess.TimeoutExpired."""
        with self._lock:
            if self.returncode is None:
                if not select.select([self._status_fd], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("an action", timeout or 0)
                self.returncode = self._read()
                os.close(self._status_fd)
            return self.returncode

    def _read(self) -> int:
        status = os.read(self._status_fd, action_process.STATUS.size)
        if len(status) < action_process.STATUS.size:
            raise RuntimeError("the process that actions are forked from has ended; its trace is on stderr")
        (value,) = action_process.STATUS.unpack(status)
        return int(value)


class Mother:
    """The process that actions are forked from; it ends with this process, and with all that it lent its socket to."""

    def __init__(self, python: Path, environment: Mapping[str, str]) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            for one in (self.socket, theirs):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, action_process.LONGEST_MESSAGE)
            self._process = subprocess.Popen(
                [str(python), "-u", action_process.__file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=dict(environment),
                start_new_session=True,
            )


@functools.cache
def mother(python: Path) -> Mother:
    """The one of this process for this Python."""
    return Mother(python, outer_environment())


def outer_environment() -> dict[str, str]:
    """The environment variables of an action or a sensor, before what StackStorm adds."""
    return {name: value for name, value in os.environ.items() if name not in _PRIVATE_VARIABLES}


class Nursery:
    """Starts the processes of one run's actions, by the socket of a mother that another process may have started."""

    def __init__(self, mothers: socket.socket, environment: Mapping[str, str]) -> None:
        self._mothers, self._environment = mothers, environment

    def start(self, outcome_fd: int, extra: Mapping[str, str]) -> Child:
        """A process that reads its request from stdin and writes its outcome to the descriptor."""
        pipes = [os.pipe() for _ in range(4)]
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr), (status, to_status) = pipes
        theirs = [stdin, stdout, stderr, outcome_fd, to_status]
        try:
            message = json.dumps({**self._environment, **extra}).encode()
            socket.send_fds(self._mothers, [message], theirs)
        finally:
            for one in (stdin, stdout, stderr, to_status):
                os.close(one)
        files = os.fdopen(to_stdin, "wb"), os.fdopen(from_stdout, "rb"), os.fdopen(from_stderr, "rb")
        return Child(status, *files)
