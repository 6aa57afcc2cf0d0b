"""One program, run to its end or to a deadline, as a process group of its own."""

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

MOST_BYTES = 64 * 1024
MOST_SHOWN = 400

# ECMA-48: OSC and its kin up to their terminator, CSI with parameters, any other escape of two characters.
_ESCAPE = re.compile(r"\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b.", re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """How a program ended: exit status (negative: the signal) and the last 64 KiB of what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """What it complained about, fit to be shown."""
        return readable(self.stderr) or readable(self.stdout) or "nothing"


class Deadline:
    """Seconds that several runs share. `clock` and `pause` are time's own but in tests."""

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
        """Wait, but not beyond the end."""
        self._pause(min(seconds, self.left()))


def run(arguments: Sequence[str], seconds: float, environment: Optional[Mapping[str, str]] = None) -> Outcome:
    """Run a program without a shell and without input, and kill its process group after `seconds`.

    Raises OSError where it cannot be started, and subprocess.TimeoutExpired. What it left running when it ended by
    itself goes on: that may be the service that it started.
    """
    # Files, not pipes: a process that goes on in the background (ssh's ControlPersist) holds a pipe open.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = None
        try:
            with _interrupt_held_back():
                process = subprocess.Popen(  # noqa: S603 - a list, no shell; the words are checked by the callers
                    list(arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env=environment,
                    start_new_session=True,
                )
            status = process.wait(seconds)
        except BaseException:  # Ctrl-C is no reason to leave it behind either
            if process:
                _kill(process)
            raise
        return Outcome(status, _end_of(stdout), _end_of(stderr))


@contextmanager
def _interrupt_held_back() -> Iterator[None]:
    """Ctrl-C waits until a program that starts is known by its number: before that, nobody could kill it."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not ours or threading.current_thread() is not threading.main_thread():
        yield  # no KeyboardInterrupt can be raised here
        return
    came: List[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


def readable(text: str, most: int = MOST_SHOWN) -> str:
    """One line of `text`, without escape sequences and characters that steer a terminal; the end where it is long."""
    plain = "".join(_plain(character) for character in _ESCAPE.sub("", text))
    line = " ".join(plain.split())
    return line if len(line) <= most else "..." + line[-most:]


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    # Cc: control; Cf: format, such as those that turn the direction of writing.
    return "" if unicodedata.category(character) in ("Cc", "Cf") else character


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MOST_BYTES))
    return file.read().decode("utf-8", "replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it ended just now
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
