"""Which bytes are worth parsing: tests that cost almost nothing on a harmless log."""

from __future__ import annotations

from placement_recovery.detection.logs.frames import Framing

# Each relevant line has one of these, whatever wraps it: no JSON encoder escapes letters or spaces.
_PHRASES = (b"lacement API", b"lacement service credentials", b"Error updating resources for node")

# journalctl writes a message that has control characters (colours) as a list of bytes: [80,108] or [ 80, 108 ].
_NUMBERS = tuple(
    comma.join(str(byte).encode() for byte in word)
    for word in (b"lacement", b"Error updating")
    for comma in (b",", b", ")
)


def is_worth_reading(block: bytes, framing: Framing) -> bool:
    """Whether some line of this block may be relevant. Never misses one that is."""
    if any(phrase in block for phrase in _PHRASES):
        return True
    if framing.is_json:
        return _may_hold_numbers(block) or _may_hold_docker_part(block)
    return framing.is_cri and (b" stdout P" in block or b" stderr P" in block)


def _may_hold_numbers(block: bytes) -> bool:
    return b'"MESSAGE"' in block and any(numbers in block for numbers in _NUMBERS)


def _may_hold_docker_part(block: bytes) -> bool:
    records = block.count(b'{"log"')
    # Without docker's own spacing each line is parsed. The second count is of texts that may end in a backslash and an
    # n instead of a line feed.
    return bool(records) and records != block.count(b'\\n","stream":"std') - block.count(b'\\\\n","stream":"std')
