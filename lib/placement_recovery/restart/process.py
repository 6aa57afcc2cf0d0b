"""Run one program to its end or to a deadline, in its own process group."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unicodedata
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Callable, Iterator, List, Mapping, Optional, Sequence

MAX_OUTPUT_BYTES = 64 * 1024
MAX_SHOWN = 400

# ECMA-48: OSC and similar strings up to their terminator, CSI with parameters, any other two-character escape.
_ESCAPE = re.compile(r"\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b.", re.DOTALL)


@dataclass(frozen=True)
class ProgramResult:
    """How a program ended: exit status (negative: the signal) and the last 64 KiB of each output stream."""

    status: int
    stdout: str
    stderr: str

    @property
    def message(self) -> str:
        """Its error output, else its standard output, as one printable line."""
        return readable(self.stderr) or readable(self.stdout) or "nothing"


class Deadline:
    """A time limit in seconds that several runs share. Tests replace `clock` and `pause`."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._pause = pause
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - self._clock())

    def pause(self, seconds: float) -> None:
        """Wait, but not past the deadline."""
        self._pause(min(seconds, self.left()))


def run(arguments: Sequence[str], seconds: float, environment: Optional[Mapping[str, str]] = None) -> ProgramResult:
    """Run a program without a shell and without input, and kill its process group after `seconds`.

    Raises OSError if it cannot be started, and subprocess.TimeoutExpired. Background processes of a program that ends
    in time keep running: one of them may be the service that it started.
    """
    # Files, not pipes: a process that stays in the background (ssh's ControlPersist) would hold a pipe open.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = None
        try:
            with _interrupt_deferred():
                process = subprocess.Popen(  # noqa: S603 - a list, no shell; the words are checked by the callers
                    list(arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env=environment,
                    start_new_session=True,
                )
            status = process.wait(seconds)
        except BaseException:  # Ctrl-C must not leave it running either
            if process:
                _kill(process)
            raise
        return ProgramResult(status, _end_of(stdout), _end_of(stderr))


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Defer Ctrl-C until the process ID of a starting program is known: before that it could not be killed."""
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not default or threading.current_thread() is not threading.main_thread():
        yield  # no KeyboardInterrupt can be raised here
        return
    pending: List[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pending:
        raise KeyboardInterrupt


def readable(text: str, limit: int = MAX_SHOWN) -> str:
    """Return `text` as one line without escape sequences and control characters; of a long text, the end."""
    plain = "".join(_plain(character) for character in _ESCAPE.sub("", text))
    line = " ".join(plain.split())
    return line if len(line) <= limit else "..." + line[-limit:]


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    # Cc: control; Cf: format, such as those that change the writing direction.
    return "" if unicodedata.category(character) in ("Cc", "Cf") else character


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_OUTPUT_BYTES))
    return file.read().decode("utf-8", "replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
