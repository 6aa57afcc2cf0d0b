"""The parser: bytes of one log in, events out, in bounded memory."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from placement_recovery.detection.logs.correlator import Ledger
from placement_recovery.detection.logs.entries import read_entry
from placement_recovery.detection.logs.events import Event
from placement_recovery.detection.logs.frames import Frame, FrameJoiner, Framing
from placement_recovery.detection.logs.line_splitter import LONGEST_LINE, LineCutter, each_line, parts
from placement_recovery.detection.logs.scan import is_worth_reading

_PART = 16 * 1024


class LogParser:
    """Reads one log of nova-compute, in any of its forms, as it grows.

    `file` is put into each event, and so is `host` where the caller knows it (a central tree's folder, a stream's
    label). A log that goes on in another file after a rotation is one stream. Neither the cuts between the calls nor
    a restart with the `state` change what is told; Ledger says when that is. Nothing in the log makes it raise; what
    is no line of nova's, or longer than LONGEST_LINE, is passed over.
    """

    def __init__(self, file: str = "", host: str = "", state: Optional[Mapping[str, Any]] = None) -> None:
        state = state or {}
        self._cutter = LineCutter(state.get("position", 0), state.get("skipping", False))
        self._framing = Framing(*state.get("framing", ()))
        self._joiner = FrameJoiner(state.get("begun", ()))
        self._ledger = Ledger(file, host, state.get("cases"))

    @property
    def position(self) -> int:
        """Offset in the stream of the first byte that a successor with this `state` must be fed."""
        return self._cutter.position

    def state(self) -> Dict[str, Any]:
        """Return what a successor needs, as JSON values: no more than four numbers while nothing is open."""
        return {
            "position": self.position,
            "skipping": self._cutter.skipping,
            "framing": [self._framing.is_json, self._framing.is_cri, self._framing.seen],
            "begun": self._joiner.state(),
            "cases": self._ledger.state(),
        }

    def feed(self, data: bytes) -> List[Event]:
        """Take the next bytes, cut anywhere, and return what they tell."""
        block, start = self._cutter.feed(data)
        return self._read(block, start) if block else []

    def feed_line(self, text: str) -> List[Event]:
        """Take one record from elsewhere (a Loki entry); line breaks in it start no new record.

        Raises ValueError after bytes that did not end their line.
        """
        if self._cutter.is_inside_line:
            raise ValueError("a line was begun by feed() and not ended; feed its rest, or close() the parser")
        start = self._cutter.position
        self._cutter.position += len(text) + 1
        frame = self._joiner.join(text, start) if len(text) <= LONGEST_LINE else None
        return (self._tell(frame, start) if frame else []) + self._ledger.expire(self._cutter.position)

    def flush(self) -> List[Event]:
        """Return what waits for its second line. For followers, once a log is quiet; the reading goes on after it."""
        return self._ledger.flush()

    def close(self) -> List[Event]:
        """Return what the end of the log tells: the last line, though nothing ended it, and what still waits."""
        block, start = self._cutter.rest()
        events = self._read(block, start) if block else []
        for frame in self._joiner.rest():
            events += self._tell(frame, self._cutter.position)
        return events + self._ledger.flush()

    def _read(self, block: bytes, start: int) -> List[Event]:
        events: List[Event] = []
        if not self._may_skip(block):
            for part, at in parts(block, start, _PART):
                events += [] if self._may_skip(part) else self._read_lines(part, at)
        return events + self._ledger.expire(start + len(block))

    def _may_skip(self, block: bytes) -> bool:
        return self._framing.is_known and not self._joiner.is_open and not is_worth_reading(block, self._framing)

    def _read_lines(self, block: bytes, start: int) -> List[Event]:
        events: List[Event] = []
        for line, at in each_line(block, start):
            self._framing.learn(line)
            if self._joiner.is_open or is_worth_reading(line, self._framing):
                events += self._read_line(line, at)
        return events

    def _read_line(self, line: bytes, at: int) -> List[Event]:
        frame = self._joiner.join(line.decode("utf-8", "replace"), at)
        return self._tell(frame, at) if frame else []

    def _tell(self, frame: Frame, at: int) -> List[Event]:
        entry = read_entry(frame.text, frame.time)
        return self._ledger.see(entry, at) if entry else []
