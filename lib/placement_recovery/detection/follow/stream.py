"""One log over all its rotations: the bytes of its files in order, and the events that the parser finds in them."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from placement_recovery.detection.follow.logfile import LONGEST_FINGERPRINT, Fingerprint, LogFile, open_log
from placement_recovery.detection.follow.rotation import Segment, find_next, find_rest, name_of
from placement_recovery.detection.logs import Event, LogParser

CHUNK = 256 * 1024


class Advance(NamedTuple):
    """The yield of one advance: events, the number of new bytes read, and what went wrong, as text."""

    events: List[Event]
    grown: int
    problem: str


class Stream:
    """Everything written under one path, as one stream of bytes.

    Its files are segments of the stream, and the parser continues across their borders: a rotation may split a record,
    or the two lines of a fault. Between two polls only `state` is kept, the same that outlives the process; bytes that
    the parser still needs are read again. The current file stays open, so that the rest of it can be read after it was
    deleted.
    """

    def __init__(self, path: str, host: str, segments: List[Segment], reached: int, parser: Mapping[str, Any]) -> None:
        self.path, self.host = path, host
        self._segments, self._reached, self._parser = segments, reached, dict(parser)
        self._file: Optional[LogFile] = None
        self._opened: Optional[Segment] = None
        self._seen: Optional[Tuple[int, int, int]] = None
        self._lost, self._problem = 0, ""

    @classmethod
    def begin(cls, path: str, host: str, at_end: bool) -> Optional[Stream]:
        """Start at the file's first byte, or at its end; None if there is no file. Raises OSError."""
        file = open_log(path)
        if file is None:
            return None
        with closing(file):
            size = (file.size or 0) if at_end else 0
            # The rest of a line that began before is skipped.
            inside = size > 0 and file.read(size - 1, 1) != b"\n"
            segment = Segment(file.inode, 0, Fingerprint.of(file))
        return cls(path, host, [segment], size, {"position": size, "skipping": inside})

    @classmethod
    def from_state(cls, path: str, state: Mapping[str, Any]) -> Stream:
        """Continue from a `state`. Raises KeyError, TypeError or ValueError if it is not one."""
        segments = [Segment(inode, start, Fingerprint(*mark)) for inode, start, mark in state["segments"]]
        if not segments:
            raise ValueError("a stream without a file")
        return cls(path, str(state["host"]), segments, int(state["reached"]), dict(state["parser"]))

    def state(self) -> Dict[str, Any]:
        """JSON values, which later reading does not change."""
        segments = list(self._segments)
        return {"host": self.host, "segments": segments, "reached": self._reached, "parser": self._parser}

    @property
    def files(self) -> Tuple[Segment, ...]:
        """The files that are still needed."""
        return tuple(self._segments)

    @property
    def is_behind(self) -> bool:
        """Whether it reads a file that was rotated away."""
        return self._file is not None and self._file.path != self.path

    def is_still(self, status: Optional[os.stat_result]) -> bool:
        """Whether the path's status (None: there is no file) shows that nothing is new."""
        return status is not None and self._seen == _facts(status)

    def advance(self, status: Optional[os.stat_result], limit: int) -> Advance:
        """Read up to `limit` new bytes. A problem is part of the result, beside what was read before it."""
        self._lost, self._problem, before = 0, "", self._reached
        parser = LogParser(self.path, self.host, self._parser)
        self._close_if_truncated()
        events: List[Event] = []
        for block in self._blocks(parser.position, max(parser.position, self._reached) + limit):
            events += parser.feed(block)
        self._keep(parser)
        self._seen = self._facts_if_read(status)
        return Advance(events, self._reached - before + self._lost, self._problem)

    def flush(self) -> List[Event]:
        """Return the faults that still wait for their second line; for a log that is quiet."""
        if all(one["reported"] for one in self._parser.get("pending", ())):
            return []
        parser = LogParser(self.path, self.host, self._parser)
        events = parser.flush()
        self._parser = parser.state()
        return events

    def close(self) -> None:
        """Close the open file; the next advance opens it again."""
        if self._file is not None:
            self._file.close()
        self._file = self._opened = None

    def _blocks(self, offset: int, until: int) -> Iterator[bytes]:
        try:
            while offset < until:
                data = self._block(offset, until)
                if data is None:
                    return
                if data:
                    offset += len(data)
                    self._reached = max(self._reached, offset)
                    yield data
        except OSError as error:
            self._problem = f"{error.strerror or error}"

    def _block(self, offset: int, until: int) -> Optional[bytes]:
        """The bytes from this offset; empty if the next file has to be read, None at the end."""
        number, end = self._segment_at(offset)
        size = min(CHUNK, until - offset, CHUNK if end is None else end - offset)
        data = self._read(self._segments[number], offset, size)
        if data:
            return data
        if end is None:
            return self._turn_over(offset, size)
        self._lose(number, end - offset)
        return b""

    def _segment_at(self, offset: int) -> Tuple[int, Optional[int]]:
        """The number of the last segment that begins at or before this offset, and where the next one begins."""
        number = max(index for index, one in enumerate(self._segments) if one.start <= offset or not index)
        following = self._segments[number + 1 :]
        return number, following[0].start if following else None

    def _read(self, segment: Segment, offset: int, size: int) -> bytes:
        if self._file is None or self._opened != segment:
            self.close()
            self._file, self._opened = self._open(segment, offset), segment
        if self._file is None:
            return b""
        try:
            return self._file.read(offset - segment.start, size)
        except OSError as error:
            if not self.is_behind:
                raise
            self._problem = f"the rest of a rotated file is lost: {self._file.path}: {error.strerror or error}"
            return b""

    def _open(self, segment: Segment, offset: int) -> Optional[LogFile]:
        live = open_log(self.path)
        if live is not None:
            if live.inode == segment.inode and segment.is_held_by(live, offset):
                return live
            live.close()
        return find_rest(self.path, segment, offset)

    def _close_if_truncated(self) -> None:
        """Close a file that was truncated, also one that has outgrown its old size since."""
        try:
            # A compressed file does not change, and reading its head would decompress all of it again.
            if self._file is None or self._opened is None or self._file.size is None:
                return
            end = self._reached if self._opened is self._segments[-1] else self._opened.start
            if not self._opened.is_held_by(self._file, end):
                self.close()
        except OSError:
            self.close()

    def _turn_over(self, offset: int, size: int) -> Optional[bytes]:
        """At the end of the last file: add the next file (empty), return bytes written meanwhile, or None."""
        last, live = self._segments[-1], open_log(self.path)
        with closing(live) if live is not None else nullcontext():
            if live is not None and live.inode == last.inode and last.is_held_by(live, offset):
                return None
            # While the new file is empty, the writer may still write to the old one.
            begun = live is not None and bool(live.size)
            return self._read(last, offset, size) or self._next_file(offset, live if begun else None)

    def _next_file(self, offset: int, live: Optional[LogFile]) -> Optional[bytes]:
        last = self._segments[-1]
        elder = name_of(self.path, last, offset)
        between = find_next(self.path, elder)
        if between is not None:
            with closing(between):
                self._append(between, offset)
        elif live is None:
            return None
        elif not elder and last.fingerprint.is_distinctive and last.is_held_by(live, offset):
            # A longer copy has replaced the file, as rsync does.
            self._segments[-1] = last._replace(inode=live.inode)
        else:
            self._append(live, offset)
        return b""

    def _append(self, file: LogFile, offset: int) -> None:
        self._segments.append(Segment(file.inode, offset, Fingerprint.of(file)))
        self._reached = offset

    def _lose(self, number: int, size: int) -> None:
        """Bytes that the parser needs again no longer exist: the later segments move up."""
        later = [one._replace(start=one.start - size) for one in self._segments[number + 1 :]]
        self._segments[number + 1 :] = later
        self._reached -= size
        self._lost += size

    def _keep(self, parser: LogParser) -> None:
        self._parser = parser.state()
        needed, _ = self._segment_at(parser.position)
        del self._segments[:needed]
        last = self._segments[-1]
        if self._file is not None and self._opened == last and last.fingerprint.length < LONGEST_FINGERPRINT:
            self._opened = self._segments[-1] = last._replace(fingerprint=Fingerprint.of(self._file))

    def _facts_if_read(self, status: Optional[os.stat_result]) -> Optional[Tuple[int, int, int]]:
        """The facts of the live file, if it has been read to the end that they show."""
        last = self._segments[-1]
        if status is None or status.st_ino != last.inode or status.st_size != self._reached - last.start:
            return None
        return _facts(status)


def _facts(status: os.stat_result) -> Tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
