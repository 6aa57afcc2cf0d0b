"""One program, its deadline, and how its output is shown."""

from __future__ import annotations

import os
import select
import subprocess

import pytest

from placement_recovery.restart.process import ProgramResult, readable, run


def test_the_status_and_both_outputs_come_back():
    """Exit status, standard output and error output are kept apart."""
    assert run(["sh", "-c", "echo out; echo err >&2; exit 3"], 10) == ProgramResult(3, "out\n", "err\n")


@pytest.fixture
def pipe(tmp_path):
    """A named pipe and its reading end, which comes to an end when the last writer is gone."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(str(path), os.O_RDONLY | os.O_NONBLOCK)
    yield path, reader
    os.close(reader)


def assert_writers_are_gone(reader):
    """The program wrote "began", and neither it nor a child of it holds the pipe any longer."""
    assert os.read(reader, 100) == b"began\n"
    at_end, _, _ = select.select([reader], [], [], 10)
    assert at_end, "a child still holds the pipe"
    assert os.read(reader, 100) == b""


def test_a_program_that_hangs_is_killed_with_its_children(pipe):
    """After the deadline nothing of its process group is left."""
    path, reader = pipe
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sh", "-c", f"exec 3>'{path}'; echo began >&3; sleep 60 & wait"], 2)
    assert_writers_are_gone(reader)


def test_an_interrupted_program_is_killed_with_its_children(pipe):
    """Ctrl-C reaches this process only, as the program has a process group of its own."""
    path, reader = pipe
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", f"exec 3>'{path}'; echo began >&3; kill -INT $PPID; sleep 60 & wait"], 30)
    assert_writers_are_gone(reader)


def test_a_background_process_that_holds_the_output_is_not_waited_for():
    """ssh may leave a shared connection behind, and a command the service that it started."""
    result = run(["sh", "-c", "sleep 3 & echo done"], 2)
    assert result == ProgramResult(0, "done\n", "")


def test_only_the_end_of_long_output_is_kept():
    """The last 64 KiB are kept."""
    result = run(["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x; echo end"], 10)
    assert len(result.stdout) == 64 * 1024
    assert result.stdout.endswith("xend\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mfailed\x1b[0m", "failed"),
        ("\x1b]0;a title\x07failed", "failed"),
        ("\x1b]8;;http://x\x1b\\failed", "failed"),
        ("\x9b31mfailed", "failed"),
        ("one\r\n  two\ttwo\n", "one two two"),
        ("a\x00b\x08c\u202ed", "abcd"),
        ("end\x1b[", "end"),
    ],
)
def test_what_is_shown_cannot_control_a_terminal(text, shown):
    """Escape sequences, control characters and changes of the writing direction are removed."""
    assert readable(text) == shown


def test_what_is_shown_is_short():
    """The end is kept, because errors stand there."""
    shown = readable("x" * 5000 + " the error")
    assert len(shown) < 410
    assert shown.endswith("the error")
