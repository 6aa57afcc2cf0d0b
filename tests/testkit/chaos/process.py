"""One attempt at a recovery, in a process of its own that is hit: by SIGKILL, or by answers out of turn."""

from __future__ import annotations

import mmap
import os
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, FrozenSet, List

from placement_recovery.errors import PlacementRecoveryError
from placement_recovery.records.stores.base import Store
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.methods import steps_of
from testkit.driving import HastyClock, Meddler, open_hasty, watched

DONE, FAILED, KILLED = "done", "failed", "killed"
LONGEST_SECONDS = 120

WRITE, READ, RECORD = "write", "read", "record"

# Killed by itself: right before a request (or a write of its record), or right after the answer.
BEFORE, AFTER = "before", "after"
# Killed by the road: the request was sent, and is carried out when who sent it is gone.
SENT = "sent"
# The generation moved; a fault of its own; a proxy's page; no answer; carried out, but no answer in time.
ANSWERS = ("409", "500", "503", "drop", "stall")
# Answered with a time-out, and carried out later: once the next attempt writes, in the last moment that
# `late_write_wait` allows, or, what carries a generation, when the recovery has ended.
LATE = "late"
# The same, but who sent it is killed and sees no answer.
ORPHANED = "orphaned"
AT_RESUME, AT_PAUSE, AT_END = "the resume", "the pause", "the end"
MOMENTS = (AT_RESUME, AT_PAUSE, AT_END)

# No other pause of a recovery is as long as the one for late writes is in these tests.
LATE_WRITE_WAIT = 40
LONG_PAUSE = 10


@dataclass(frozen=True)
class Blow:
    """What happens, and at which write, read or record: the n-th; with number 0 at each that is not spared, once.

    `until` is when a write that is late is carried out.
    """

    what: str
    at: str = WRITE
    number: int = 0
    spared: FrozenSet[str] = frozenset()
    until: str = ""

    def __str__(self) -> str:
        until = f" (until {self.until})" if self.until else ""
        return f"{self.what} {self.at} {self.number or ''}".rstrip() + until


NOTHING = Blow("nothing")


class Note:
    """What the process leaves for whoever started it: the places where it is hit, a line each, and its long pauses."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 65536)  # shared with the children
        self._pauses = mmap.mmap(-1, 1)

    @property
    def pauses(self) -> int:
        """How many long pauses it has begun."""
        return self._pauses[0]

    def pause(self) -> None:
        """One more."""
        self._pauses[0] += 1

    @property
    def places(self) -> List[str]:
        """In their order."""
        return self._memory[:].rstrip(b"\0").decode().splitlines()

    def add(self, place: str) -> None:
        """One more line."""
        text = "\n".join([*self.places, place]).encode()
        self._memory[: len(text)] = text


class NotingClock(HastyClock):
    """Tells of its long pauses."""

    def __init__(self, note: Note) -> None:
        super().__init__()
        self._note = note

    def sleep(self, seconds: float) -> None:
        """As ever, but a long one is told of first."""
        if seconds >= LONG_PAUSE:
            self._note.pause()
        super().sleep(seconds)


class Target(Meddler):
    """Watches one process from within, and hits it, or has it hit by the road."""

    def __init__(self, blow: Blow, note: Note) -> None:
        super().__init__()
        self.step = ""
        self._blow, self._note = blow, note
        self._count = 0
        self._in_step: Dict[str, int] = Counter()

    def tell(self, when: str, method: str, path: str) -> None:
        """A request is about to be sent, or was answered."""
        if when == (AFTER if self._blow.what == AFTER else BEFORE):
            what = f"{method} " + re.sub(r"[0-9a-f]{8}-?[0-9a-f-]{27,}|CUSTOM_\w+", "*", path)
            self.meet(READ, what) if method == "GET" else self.meet(WRITE, self._again(what))

    def meet(self, at: str, what: str) -> None:
        """One of these; where it is to be hit it is the last thing that happens, or one that goes wrong."""
        if at != self._blow.at:
            return
        self._count += 1
        place = f"{self.step}: {what}"
        met = place in self._blow.spared or place in self._note.places
        if self._count == self._blow.number or not (self._blow.number or met):
            self._note.add(place)
            if self._blow.what in (BEFORE, AFTER):
                os.kill(os.getpid(), signal.SIGKILL)

    def meet_record(self) -> None:
        """A write of the record, told by its number in the step."""
        self.meet(RECORD, f"record {self._number('record')}")

    def _again(self, what: str) -> str:
        """A step's first request of a kind, or one of those that follow."""
        return what if self._number(what) == 1 else f"{what} (again)"

    def _number(self, what: str) -> int:
        self._in_step[f"{self.step}: {what}"] += 1
        return self._in_step[f"{self.step}: {what}"]


class WatchedStore:
    """A store that tells of its writes."""

    def __init__(self, store: Store, target: Target) -> None:
        self._store, self._target = store, target

    def put(self, recovery_id: str, part: str, text: str) -> None:
        """Write, unless that is where it ends."""
        self._target.meet_record()
        self._store.put(recovery_id, part, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and where it was hit."""

    how: str
    places: FrozenSet[str]


class Attempt:
    """`Attempt(...).end()` is all steps, or all of a rollback. The road looks into `pid`, `note`, `blow` meanwhile.

    `paused` is called when it begins a long pause.
    """

    def __init__(
        self, config: Dict[str, Any], recovery_id: str, back: bool, blow: Blow, paused: Callable[[], object]
    ) -> None:
        self.blow, self.note = blow, Note()
        self._paused, self._pauses = paused, 0
        self.pid = os.fork()
        if self.pid == 0:
            _work(config, recovery_id, back, Target(blow, self.note), self.note)

    def end(self) -> Ending:
        """Wait for it. Raises AssertionError for an end that no recovery may have."""
        status = self._wait()
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, f"it died by signal {os.WTERMSIG(status)}"
            return Ending(KILLED, frozenset(self.note.places))
        code = os.WEXITSTATUS(status)
        assert code in (0, 1), "it ended by an error that is none of the library's; see the output"
        return Ending(FAILED if code else DONE, frozenset(self.note.places))

    def _wait(self) -> int:
        end = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < end:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                return status
            if self._pauses != self.note.pauses:
                self._pauses = self.note.pauses
                self._paused()
            time.sleep(0.01)  # waitpid has no time-out
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(f"it did not end in {LONGEST_SECONDS} s")


def _work(config: Dict[str, Any], recovery_id: str, back: bool, target: Target, note: Note) -> None:
    """Never returns: the rest of this process is a copy of the tests."""
    code = 2
    try:
        context = replace(watched(open_hasty(config), target), clock=NotingClock(note))
        store: Any = WatchedStore(context.store, target)
        _steps(replace(context, store=store), recovery_id, back, target)
        code = 0
    except PlacementRecoveryError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        code = 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _steps(context: Context, recovery_id: str, back: bool, target: Target) -> None:
    for step in steps_of(context.journal(recovery_id).saved.method, back):
        target.step = step.name
        run_step(context, recovery_id, step.name)
