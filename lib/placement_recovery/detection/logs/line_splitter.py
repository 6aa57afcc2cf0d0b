"""Splits a stream of bytes, in pieces of any size, into whole lines, in bounded memory."""

from __future__ import annotations

from typing import Iterator, Tuple

LONGEST_LINE = 1024 * 1024  # bytes; oslo.log's JSON of a long traceback has some 20,000


class LineSplitter:
    """Holds back the incomplete line. A line that is too long is dropped up to its end.

    `position` is the offset in the stream of the first byte that has not been returned.
    """

    def __init__(self, position: int = 0, skipping: bool = False) -> None:
        self.position = position
        self.skipping = skipping
        self._held = bytearray()

    @property
    def is_inside_line(self) -> bool:
        """Whether the last line has not ended."""
        return self.skipping or bool(self._held)

    def feed(self, data: bytes) -> Tuple[bytes, int]:
        """Return the lines that are complete now, and the offset of the first one."""
        if self.skipping:
            data = self._skip(data)
        cut = data.rfind(b"\n") + 1
        block, start = b"", self.position
        if cut:
            block = bytes(self._held) + data[:cut]
            self.position += len(block)
            self._held = bytearray()
        self._hold(data[cut:])
        return block, start

    def rest(self) -> Tuple[bytes, int]:
        """Return the last line, which has no line feed, and its offset. The stream ends with it."""
        block, start = bytes(self._held), self.position
        self.position += len(block)
        self._held = bytearray()
        return block, start

    def _skip(self, data: bytes) -> bytes:
        end = data.find(b"\n") + 1
        self.skipping = not end
        self.position += end or len(data)
        return data[end:] if end else b""

    def _hold(self, data: bytes) -> None:
        if not self._held:
            # A file truncated under its writer starts with a hole, which may be large.
            kept = data.lstrip(b"\0")
            self.position += len(data) - len(kept)
            data = kept
        self._held += data
        if len(self._held) > LONGEST_LINE:
            self.position += len(self._held)
            self._held, self.skipping = bytearray(), True


def each_line(block: bytes, start: int) -> Iterator[Tuple[bytes, int]]:
    """Yield each line of a block of whole lines without line feed, and its offset; skips lines that are too long."""
    for line in block.split(b"\n"):
        bare = line.lstrip(b"\0")
        if bare and len(bare) <= LONGEST_LINE:
            yield bare, start + len(line) - len(bare)
        start += len(line) + 1


def parts(block: bytes, start: int, size: int) -> Iterator[Tuple[bytes, int]]:
    """Yield a block of whole lines in parts of whole lines, of about `size` bytes each, with their offsets."""
    at = 0
    while at < len(block):
        end = block.find(b"\n", at + size) + 1 or len(block)
        yield block[at:end], start + at
        at = end
