"""A log may hold anything: reading it neither raises, nor takes long, nor fills the memory."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest

from placement_recovery.detection.logs import Fault, LogParser
from placement_recovery.detection.logs.line_splitter import LONGEST_LINE
from testkit.logs.nova_lines import as_bytes, conflict, failed

FAULT = as_bytes(conflict(), failed())
MEGABYTE = 1_000_000


def nodes(*pieces):
    """Nodes of the faults in these bytes."""
    parser = LogParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [event.node for event in events + parser.close() if isinstance(event, Fault)]


def peak_of(pieces):
    """Most memory, in bytes, that reading these bytes took."""
    parser = LogParser()
    tracemalloc.start()
    for piece in pieces:
        parser.feed(piece)
    parser.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("filler", [b"x", b"\0", b"\xff", b"{", b'"', b"[", b" ", b"\x1b[0m", b"\r", b"lacement API"])
def test_an_endless_line_takes_little_memory(filler):
    """Sixteen times the longest line, without an end."""
    piece = filler * (65_536 // len(filler))
    assert peak_of(piece for _ in range(256)) < 8 * MEGABYTE


@pytest.mark.parametrize("size", [LONGEST_LINE + 1, 3 * LONGEST_LINE])
def test_reading_continues_after_a_line_that_is_too_long(size):
    """It is dropped as a whole, whether it comes at once or in pieces."""
    data = b"x" * size + FAULT + FAULT
    pieces = [data[at : at + 10_000] for at in range(0, len(data), 10_000)]
    assert nodes(data) == nodes(*pieces) == ["compute-0"]
    assert nodes(b"x" * size + b"\n" + FAULT) == ["compute-0"]


def test_the_longest_line_is_read():
    """The limit itself is inside."""
    record = {"MESSAGE": conflict(), "FILL": ""}
    record["FILL"] = "x" * (LONGEST_LINE - len(json.dumps(record)))
    assert nodes(as_bytes(json.dumps(record))) == ["compute-0"]
    record["FILL"] += "x"
    assert nodes(as_bytes(json.dumps(record))) == []


def test_a_hole_of_zeros_is_skipped():
    """copytruncate under a writer that does not append leaves one of the old file's size."""
    assert nodes(*[b"\0" * MEGABYTE] * 5, FAULT) == ["compute-0"]
    assert nodes(FAULT, b"\0" * 5 * MEGABYTE + FAULT) == ["compute-0"] * 2


def test_bytes_that_are_not_utf_8_affect_their_line_only():
    """A line cut by a rotation, or written in another code page."""
    assert nodes(b"\xc3\x28\xff\xfe\n", FAULT, b"\xe2\x82", b"\n") == ["compute-0"]


def test_binary_content_is_skipped():
    """All byte values, in all orders that a multiplication gives."""
    binary = b"".join(bytes((number * factor) % 256 for number in range(256)) for factor in range(1, 400))
    assert nodes(binary, b"\n", FAULT) == ["compute-0"]


@pytest.mark.parametrize(
    "line",
    [
        "{" * 500_000 + "lacement API",
        "[" * 500_000 + "lacement API",
        '{"log"' + ":{" * 100_000 + "lacement API",
        '{"MESSAGE": ' + "9" * 500_000 + ', "x": "lacement API"}',
        '{"MESSAGE": [' + "300, " * 100_000 + '1], "x": "lacement API"}',
        '{"MESSAGE": "lacement API", "__REALTIME_TIMESTAMP": "' + "9" * 16 + '"}',
        '{"MESSAGE": null, "x": "lacement API"}',
        '{"log": "lacement API\\ud800\\n", "stream": ["a"]}',
        '{"message": "lacement API", "name": "nova.x", "levelname": "ERROR", "process": true, "msecs": 1e999}',
        '{"message": "", "msg": "%(x)999999999d lacement API", "args": {"x": 1}, "name": "n", "levelname": "ERROR"}',
        "<1>1 - - - - - " + '[a="\\]' * 100_000 + "lacement API",
        "<1>" + "a " * 300_000 + "lacement API",
        "2026-11-22 11:00:32.672 1 ERROR nova.compute.manager [" + "[instance: " * 50_000 + "lacement API",
        "Error updating resources for node " + "a." * 200_000,
        conflict().replace("There was", "\\n" * 200_000),
        conflict().replace("There was", "\\n " * 200_000).replace("Conflicting", "Conflictinx"),
        failed().replace("nova.exception.", "a." * 200_000),
    ],
    ids=range(17),
)
def test_a_hostile_line_is_read_quickly(line):
    """Neither deep nesting nor long numbers nor patterns that try again and again: well below a second for 1 MB."""
    parser = LogParser()
    start = time.process_time()
    parser.feed(as_bytes("{}", line[: LONGEST_LINE - 1]))
    parser.close()
    assert time.process_time() - start < 1.5


def test_split_lines_that_never_end_take_little_memory():
    """A container that writes no line end, on any number of forged streams."""
    one = [as_bytes(json.dumps({"log": "x" * 16_384, "stream": "stdout"}))] * 1_000
    many = [as_bytes(json.dumps({"log": "x" * 16_384, "stream": f"s{number}"})) for number in range(1_000)]
    assert peak_of(one) < 6 * MEGABYTE
    assert peak_of(many) < 6 * MEGABYTE


def test_reading_continues_after_a_split_line_that_never_ended():
    """It is dropped, and the later lines are read."""
    begun = as_bytes(*["2026-11-22T11:00:32.67Z stdout P " + "x" * 16_384] * 3)
    others = as_bytes(*["2026-11-22T11:00:32.67Z stderr F harmless " + "x" * 16_384] * 600)
    fault = as_bytes(*(f"2026-11-22T11:00:32.67Z stdout F {line}" for line in (conflict(), failed())))
    assert nodes(begun, others, fault) == ["compute-0"]


def test_memory_is_flat():
    """A log ten times as long takes no more."""
    block = b"2026-11-22 11:00:32.171 2728 INFO nova.service [-] Starting compute node\n" * 1_000 + FAULT
    assert peak_of(block for _ in range(200)) < peak_of(block for _ in range(20)) + 100_000
