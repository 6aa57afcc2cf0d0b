"""The parser: bytes of one log in, events out, in bounded memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional

from placement_recovery.detection.logs.correlator import Correlator
from placement_recovery.detection.logs.entries import read_entry
from placement_recovery.detection.logs.events import Event
from placement_recovery.detection.logs.frames import Frame, FrameJoiner, Framing
from placement_recovery.detection.logs.journal import JournalFields
from placement_recovery.detection.logs.line_splitter import LONGEST_LINE, LineSplitter, each_line, parts
from placement_recovery.detection.logs.scan import is_worth_reading

_PART = 16 * 1024


class LogParser:
    """Reads one log of nova-compute, in any of its forms, as it grows.

    `file` is part of each event, and so is `host` if the caller knows it (a central tree's folder, a stream's label). A
    log that continues in another file after a rotation is one stream. Neither the cuts between the calls nor a restart
    with the `state` change which events are reported; Correlator defines when. Nothing in the log makes it raise; lines
    that are not nova's, or longer than LONGEST_LINE, are skipped.
    """

    def __init__(self, file: str = "", host: str = "", state: Optional[Mapping[str, Any]] = None) -> None:
        state = state or {}
        self._splitter = LineSplitter(state.get("position", 0), state.get("skipping", False))
        self._framing = Framing(*state.get("framing", ()))
        self._joiner = FrameJoiner(state.get("begun", ()))
        self._journal = JournalFields(state.get("journal_host", ""))
        self._correlator = Correlator(file, host, state.get("pending"))

    @property
    def position(self) -> int:
        """Offset in the stream of the first byte that a successor with this `state` needs."""
        return self._splitter.position

    def state(self) -> Dict[str, Any]:
        """Return what a successor needs, as JSON values; short unless a line or a cause is pending."""
        return {
            "position": self.position,
            "skipping": self._splitter.skipping,
            "framing": [self._framing.is_json, self._framing.is_cri, self._framing.seen],
            "begun": self._joiner.state(),
            "journal_host": self._journal.host,
            "pending": self._correlator.state(),
        }

    def feed(self, data: bytes) -> List[Event]:
        """Take the next bytes, in pieces of any size, and return their events."""
        block, start = self._splitter.feed(data)
        return self._read(block, start) if block else []

    def feed_line(self, text: str) -> List[Event]:
        """Take one record from another source (a Loki entry); line breaks in it do not start a new record.

        Raises ValueError if `feed` has left a line incomplete.
        """
        if self._splitter.is_inside_line:
            raise ValueError("feed() has left a line incomplete; feed its rest, or close() the parser")
        start = self._splitter.position
        self._splitter.position += len(text) + 1
        frame = self._joiner.join(text, start) if len(text) <= LONGEST_LINE else None
        return (self._read_frame(frame, start) if frame else []) + self._correlator.expire(self._splitter.position)

    def flush(self) -> List[Event]:
        """Return the faults that wait for their second line. For a quiet log; reading may continue after it."""
        return self._correlator.flush()

    def close(self) -> List[Event]:
        """Return the last events: of a line without a line feed, and the faults that wait for their second line."""
        block, start = self._splitter.rest()
        events = self._read(block, start) if block else []
        for frame in self._joiner.rest():
            events += self._read_frame(frame, self._splitter.position)
        return events + self._correlator.flush()

    def _read(self, block: bytes, start: int) -> List[Event]:
        events: List[Event] = []
        if not self._may_skip(block):
            for part, at in parts(block, start, _PART):
                events += [] if self._may_skip(part) else self._read_lines(part, at)
        return events + self._correlator.expire(start + len(block))

    def _may_skip(self, block: bytes) -> bool:
        return self._framing.is_known and not self._joiner.is_open and not is_worth_reading(block, self._framing)

    def _read_lines(self, block: bytes, start: int) -> List[Event]:
        events: List[Event] = []
        for line, at in each_line(block, start):
            self._framing.learn(line)
            if self._joiner.is_open or is_worth_reading(line, self._framing):
                events += self._read_line(line, at)
            else:
                self._journal.learn(line)
        return events

    def _read_line(self, line: bytes, at: int) -> List[Event]:
        frame = self._joiner.join(line.decode("utf-8", "replace"), at)
        return self._read_frame(frame, at) if frame else []

    def _read_frame(self, frame: Frame, at: int) -> List[Event]:
        entry = read_entry(frame.text, frame.time)
        if entry is None:
            return []
        host = entry.host or self._journal.host_of(frame.text)
        return self._correlator.add(replace(entry, host=host), at)
