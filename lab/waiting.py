"""Waiting for conditions, and the lab's errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.2
TAIL_LINES = 25


class LabError(Exception):
    """Something in the lab did not come about; the message says what, where, and shows the end of the log."""


def wait_until(what: str, condition: Callable[[], T | None], timeout: float, log: Path | None = None) -> T:
    """The first true value of ``condition()``; LabError, with the end of ``log``, after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:.0f} s in vain: {what}{tail_of(log)}")
        time.sleep(POLL_SECONDS)
    return value


def tail_of(log: Path | None) -> str:
    """The end of a log as the end of an error message; empty where there is none."""
    if log is None or not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"\nthe end of {log}:", *(f"  {line[:400]}" for line in lines)])


class LogMark:
    """A place in a log, taken before something is started, and the lines that came after it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._start = log.stat().st_size if log.exists() else 0

    def text(self) -> str:
        """What was logged since."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(self._start)
            return file.read().decode("utf-8", errors="replace")

    def lines(self, *words: str) -> list[str]:
        """The lines since that hold one of the words, or all lines where none is given."""
        return [line for line in self.text().splitlines() if not words or any(word in line for word in words)]

    def wait_for(self, *words: str, timeout: float = 60) -> str:
        """The first line since that holds one of the words; LabError after ``timeout`` seconds."""
        what = f"{self.log.stem} logs {' or '.join(repr(word) for word in words)}"
        return wait_until(what, lambda: self.lines(*words), timeout, self.log)[0]
