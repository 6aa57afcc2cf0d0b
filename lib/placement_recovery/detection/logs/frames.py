"""Lines written by a container runtime: docker's json-file and CRI, both of which split long lines."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional

from placement_recovery.detection.logs.jsontext import read_object, read_text
from placement_recovery.detection.logs.line_splitter import LONGEST_LINE

_LINES_TO_LEARN_FROM = 8
_LONGEST_SPLIT = 8 * LONGEST_LINE  # bytes of log between the first and the last piece of a split line

_CRI = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT[\d:.Z+-]{8,30}) (?P<stream>stdout|stderr) (?P<tag>[PF])(?::\S*)? (?P<text>.*)",
    re.ASCII | re.DOTALL,
)


class Frame(NamedTuple):
    """One line of a container's log: the text in it, and whether the line ends here."""

    text: str
    time: str
    stream: str
    ends: bool


def read_frame(line: str) -> Optional[Frame]:
    """Return the frame of a line that docker or CRI wrote, None for any other line."""
    cri = _CRI.match(line)
    if cri:
        return Frame(cri["text"], cri["time"], cri["stream"], cri["tag"] == "F")
    if not line.startswith('{"log"'):
        return None
    record = read_object(line)
    if not isinstance(record.get("log"), str):
        return None
    text = record["log"]
    # All other names count as one stream, so that a forged log cannot open many.
    stream = record.get("stream") if record.get("stream") in ("stdout", "stderr") else ""
    return Frame(text, read_text(record.get("time")), str(stream), text.endswith("\n"))


class Framing:
    """Whether a stream holds JSON or CRI lines, learned from its first lines.

    Only split lines and messages written as numbers need it, because they hide the phrases; all else is unwrapped
    wherever it appears.
    """

    def __init__(self, is_json: bool = False, is_cri: bool = False, seen: int = 0) -> None:
        self.is_json = is_json
        self.is_cri = is_cri
        self.seen = seen

    @property
    def is_known(self) -> bool:
        """Whether enough lines have been read."""
        return self.seen >= _LINES_TO_LEARN_FROM

    def learn(self, line: bytes) -> None:
        """Take in one line."""
        if self.is_known:
            return
        self.seen += 1
        self.is_json = self.is_json or line.startswith(b"{")
        self.is_cri = self.is_cri or bool(_CRI.match(line.decode("utf-8", "replace")))


@dataclass
class _Begun:
    start: int
    stream: str
    time: str
    texts: List[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        self.size += len(text)
        if self.size > LONGEST_LINE:
            self.texts = []
        else:
            self.texts.append(text)

    def frame(self) -> Frame:
        return Frame("".join(self.texts), self.time, self.stream, True)


class FrameJoiner:
    """Joins the pieces of split lines, for each of a container's streams; a line that is too long becomes empty."""

    def __init__(self, begun: Iterable[Mapping[str, Any]] = ()) -> None:
        items = [_Begun(**values) for values in begun]
        self._begun: Dict[str, _Begun] = {item.stream: item for item in items}

    @property
    def is_open(self) -> bool:
        """Whether a line has begun and not ended."""
        return bool(self._begun)

    def state(self) -> List[Dict[str, Any]]:
        """Return the lines that have not ended as plain values, for the parameter of a later FrameJoiner."""
        return [asdict(item) for item in self._begun.values()]

    def join(self, line: str, start: int) -> Optional[Frame]:
        """Return the whole line that ends with this one, or None if more pieces must follow."""
        self._give_up_before(start - _LONGEST_SPLIT)
        frame = read_frame(line)
        if frame is None:
            return Frame(line, "", "", True)
        item = self._begun.pop(frame.stream, None)
        if frame.ends and item is None:
            return frame
        item = item or _Begun(start, frame.stream, frame.time)
        item.add(frame.text)
        if frame.ends:
            return item.frame()
        self._begun[frame.stream] = item
        return None

    def rest(self) -> List[Frame]:
        """Return the lines that never ended."""
        frames = [item.frame() for item in self._begun.values()]
        self._begun = {}
        return frames

    def _give_up_before(self, offset: int) -> None:
        self._begun = {stream: item for stream, item in self._begun.items() if item.start >= offset}
