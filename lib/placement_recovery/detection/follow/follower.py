"""All logs that the globs match, read a bounded amount per poll."""

from __future__ import annotations

import logging
import os
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.rotation import looks_rotated
from placement_recovery.detection.follow.sensor_log import SensorLog
from placement_recovery.detection.follow.stream import Stream
from placement_recovery.detection.logs import Event

MOST_FILES = 10_000
MOST_OPEN = 256
MOST_SHOWN = 20  # whose names are logged at the start
TURN_BYTES = 1024 * 1024      # of one log before the next one's turn
MOST_BYTES = 64 * TURN_BYTES  # per poll
MOST_SECONDS = 10.0           # per poll
QUIET_SECONDS = 10.0          # nova writes both lines of a fault at once
FORGET_SECONDS = 24 * 3600.0  # a log that was missing longer is a new one; its file system may only be unmounted

Status = Optional[os.stat_result]


class Follower:
    """Polls the logs: inotify does not report writes of other machines to a shared file system, and each report would
    need a check of the file anyway; checking 10,000 files takes 0.2 s.

    A file that exists at the first poll and is not in `state` is followed from its end unless `from_start`; one that
    appears later, from its first byte.
    """

    def __init__(
        self,
        globs: Sequence[LogGlob],
        logger: SensorLog,
        from_start: bool = False,
        state: Optional[Mapping[str, Any]] = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._globs, self._logger, self._from_start, self._seconds = globs, logger, from_start, seconds
        self._streams = {path: Stream.from_state(path, one) for path, one in (state or {}).items()}
        self._grew: Dict[str, float] = dict.fromkeys(self._streams, seconds())
        self._there: Dict[str, float] = dict(self._grew)
        self._old: Optional[Set[str]] = None
        self._problems: Dict[str, str] = {}
        self._turn = 0
        self.has_turned = False

    def state(self) -> Dict[str, Any]:
        """JSON values from which a later Follower continues behind everything yielded so far.

        `has_turned` says that an older state could not identify every file: one is new, was rotated, or its fingerprint
        was taken.
        """
        self.has_turned = False
        return {path: stream.state() for path, stream in self._streams.items()}

    def poll(self) -> Iterator[List[Event]]:
        """Yield new events, one log after the other, from at most MOST_BYTES and for at most MOST_SECONDS.

        After each yield, `state` includes the yielded events. No file makes it raise.
        """
        began, left = self._seconds(), MOST_BYTES
        statuses = self._look()
        for path in self._in_turn():
            stream, status = self._streams[path], statuses.get(path)
            while left > 0 and self._seconds() - began < MOST_SECONDS and not stream.is_still(status):
                grown, events = self._advance(stream, status, min(left, TURN_BYTES))
                left -= grown
                if events:
                    yield events
                if not grown:
                    break
            events = self._flush_if_quiet(path, stream)
            if events:
                yield events
            if len(self._streams) > MOST_OPEN and not stream.is_behind:
                stream.close()

    def close(self) -> None:
        """Close all files."""
        for stream in self._streams.values():
            stream.close()

    def _advance(self, stream: Stream, status: Status, limit: int) -> Tuple[int, List[Event]]:
        files = stream.files
        try:
            events, grown, problem = stream.advance(status, limit)
        except Exception:  # a bug here must not stop the other logs
            self._logger.exception("%s: cannot be followed", stream.path)
            return 0, []
        self._report(stream.path, problem)
        self.has_turned = self.has_turned or stream.files != files
        if grown:
            self._grew[stream.path] = self._seconds()
        return grown, events

    def _flush_if_quiet(self, path: str, stream: Stream) -> List[Event]:
        return stream.flush() if self._seconds() - self._grew[path] >= QUIET_SECONDS else []

    def _in_turn(self) -> List[str]:
        """All paths; each poll starts with another one, so that none waits for ever behind a busy one."""
        paths = list(self._streams)
        self._turn = (self._turn + 1) % max(len(paths), 1)
        return paths[self._turn :] + paths[: self._turn]

    def _look(self) -> Dict[str, Status]:
        """The status of each existing log; starts new ones and forgets those missing for long."""
        found = self._find()
        first = self._old is None
        if self._old is None:
            self._old = set(found)
        for path, (host, _) in found.items():
            if path not in self._streams and len(self._streams) < MOST_FILES:
                self._begin(path, host, at_end=path in self._old and not self._from_start)
        if first:
            shown = ", ".join(sorted(self._streams)[:MOST_SHOWN])
            self._logger.info("following %d logs: %s", len(self._streams), shown or "none matches log_globs yet")
        self._old &= set(found)
        self._forget(found)
        return {path: status for path, (_, status) in found.items()}

    def _find(self) -> Dict[str, Tuple[str, os.stat_result]]:
        found: Dict[str, Tuple[str, os.stat_result]] = {}
        inodes: Set[Tuple[int, int]] = set()
        for pattern in self._globs:
            matches = 0
            for path, host in pattern.find():
                matches += 1
                status = self._status(path)
                if status is None or looks_rotated(path) or (status.st_dev, status.st_ino) in inodes:
                    continue
                inodes.add((status.st_dev, status.st_ino))
                found[path] = (host, status)
            nothing = "" if matches else "no file matches, or its folder cannot be read"
            self._report(pattern.pattern, nothing, logging.INFO)
        excess = f"more than {MOST_FILES} logs match: the rest is not followed" if len(found) > MOST_FILES else ""
        self._report("log_globs", excess)
        return found

    def _status(self, path: str) -> Status:
        try:
            return os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._report(path, f"{error.strerror or error}")
            return None

    def _begin(self, path: str, host: str, at_end: bool) -> None:
        try:
            stream = Stream.begin(path, host, at_end)
        except OSError as error:
            self._report(path, f"{error.strerror or error}")
            return
        if stream is not None:
            self._streams[path] = stream
            self.has_turned = True
            self._grew[path] = self._there[path] = self._seconds()

    def _forget(self, found: Mapping[str, Any]) -> None:
        now = self._seconds()
        self._there.update(dict.fromkeys((path for path in found if path in self._streams), now))
        for path in [path for path, last in self._there.items() if now - last > FORGET_SECONDS]:
            self._streams.pop(path).close()
            del self._there[path], self._grew[path]
        self._problems = {name: text for name, text in self._problems.items() if text}

    def _report(self, name: str, problem: str, level: int = logging.WARNING) -> None:
        """Log a problem once, and again when it changes."""
        if problem and self._problems.get(name) != problem:
            self._logger.log(level, "%s: %s", name, problem)
        self._problems[name] = problem


def without_pending(state: Mapping[str, Any]) -> Dict[str, Any]:
    """A smaller state without the faults that wait for their second line; nova repeats them."""
    return {path: {**one, "parser": {**one["parser"], "pending": []}} for path, one in state.items()}
