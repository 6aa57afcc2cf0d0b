"""All logs that the globs name, read a bounded amount a poll."""

from __future__ import annotations

import logging
import os
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.rotation import looks_rotated
from placement_recovery.detection.follow.stream import Stream
from placement_recovery.detection.logs import Event

MOST_FILES = 10_000
MOST_OPEN = 256
ADVANCE = 1024 * 1024        # bytes of one log, then the next one's turn
MOST_BYTES = 64 * ADVANCE    # a poll
MOST_SECONDS = 10.0          # a poll
QUIET_SECONDS = 10.0         # nova writes both lines of a fault at once
FORGET_SECONDS = 24 * 3600.0  # after which a log that is gone, its file system perhaps, is a new one

Status = Optional[os.stat_result]


class Follower:
    """Polls the logs. Polling, because inotify tells nothing of what other machines write to a shared file system, and
    what it tells has to be checked by a look at each file all the same; a look at 10,000 files takes 0.2 s.

    A file that is there at the first poll and in no `state` is begun at its end unless `from_start`; one that appears
    later at its first byte.
    """

    def __init__(
        self,
        globs: Sequence[LogGlob],
        logger: logging.Logger,
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
        """Plain JSON values for a later Follower: all that was yielded so far is behind it.

        `has_turned` says that an older state would not know every file again: one began, was rotated or got its mark.
        """
        self.has_turned = False
        return {path: stream.state() for path, stream in self._streams.items()}

    def poll(self) -> Iterator[List[Event]]:
        """Yield what is new, one log after the other, at most MOST_BYTES and MOST_SECONDS of it.

        After each yield `state` is that of its delivery. Nothing that a file is, or does, raises.
        """
        began, left = self._seconds(), MOST_BYTES
        statuses = self._look()
        for path in self._in_turn():
            stream, status = self._streams[path], statuses.get(path)
            while left > 0 and self._seconds() - began < MOST_SECONDS and not stream.is_still(status):
                grown, events = self._advance(stream, status, min(left, ADVANCE))
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
        except Exception:  # a defect of ours: the other logs are followed all the same
            self._logger.exception("%s: cannot be followed", stream.path)
            return 0, []
        self._tell(stream.path, problem)
        self.has_turned = self.has_turned or stream.files != files
        if grown:
            self._grew[stream.path] = self._seconds()
        return grown, events

    def _flush_if_quiet(self, path: str, stream: Stream) -> List[Event]:
        return stream.flush() if self._seconds() - self._grew[path] >= QUIET_SECONDS else []

    def _in_turn(self) -> List[str]:
        """All paths, each poll beginning with another one, so that none waits for ever behind a busy one."""
        paths = list(self._streams)
        self._turn = (self._turn + 1) % max(len(paths), 1)
        return paths[self._turn :] + paths[: self._turn]

    def _look(self) -> Dict[str, Status]:
        """The status of each log that is there now; new ones are begun, long gone ones forgotten."""
        found = self._find()
        first = self._old is None
        if self._old is None:
            self._old = set(found)
        for path, (host, _) in found.items():
            if path not in self._streams and len(self._streams) < MOST_FILES:
                self._begin(path, host, at_end=path in self._old and not self._from_start)
        if first:
            self._logger.info("following %d logs", len(self._streams))
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
            nothing = "" if matches else "there is no such file, or it may not be looked at"
            self._tell(pattern.pattern, nothing, logging.INFO)
        self._tell("log_globs", f"more than {MOST_FILES} logs: the rest is not followed" * (len(found) > MOST_FILES))
        return found

    def _status(self, path: str) -> Status:
        try:
            return os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._tell(path, f"{error.strerror or error}")
            return None

    def _begin(self, path: str, host: str, at_end: bool) -> None:
        try:
            stream = Stream.begin(path, host, at_end)
        except OSError as error:
            self._tell(path, f"{error.strerror or error}")
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

    def _tell(self, name: str, problem: str, level: int = logging.WARNING) -> None:
        """Log a problem once, and again when it is another one."""
        if problem and self._problems.get(name) != problem:
            self._logger.log(level, "%s: %s", name, problem)
        self._problems[name] = problem


def without_cases(state: Mapping[str, Any]) -> Dict[str, Any]:
    """A smaller state, in which a fault whose second line is yet to come is forgotten; nova repeats it."""
    return {path: {**one, "parser": {**one["parser"], "cases": []}} for path, one in state.items()}
