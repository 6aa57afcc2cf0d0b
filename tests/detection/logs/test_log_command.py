"""`python3 -m placement_recovery.detection`, as it is typed."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest

from testkit.actions import ROOT
from testkit.logs.forms import SAMPLES
from testkit.logs.nova_lines import REQUEST, UUID, answered, as_bytes, conflict, failed

FAULT = as_bytes(conflict(), failed())
OTHER_FAILURE = as_bytes(answered(503, "<html>"), failed())


def start(*arguments, **streams):
    """Start the command with the library on the path and nothing else."""
    command = [sys.executable, "-m", "placement_recovery.detection", *map(str, arguments)]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **streams,
    )


def run(*arguments, given=b""):
    """Its exit code, its lines as values, and its messages on stderr."""
    with start(*arguments, stdin=subprocess.PIPE) as process:
        output, errors = process.communicate(given, timeout=60)
    return process.returncode, [json.loads(line) for line in output.splitlines()], errors.decode()


@pytest.fixture
def log(tmp_path):
    """A log with a fault and another failure."""
    path = tmp_path / "nova-compute.log"
    path.write_bytes(FAULT + OTHER_FAILURE)
    return path


def test_each_fault_is_one_line_of_json(log):
    """Exactly the seven fields."""
    expected = {
        "host": "compute-0",
        "node": "compute-0",
        "provider_name": "compute-0",
        "compute_node_uuid": UUID,
        "time": "2026-11-22 11:00:32.672",
        "request_id": REQUEST,
        "file": str(log),
    }
    assert run(log) == (0, [expected], "")


def test_all_adds_the_other_failures(log):
    """With their kind and their cause."""
    status, (fault, failure), _ = run("--all", log)
    assert status == 0
    assert "kind" not in fault
    assert (failure["kind"], failure["cause"]) == ("unavailable", "Placement answered 503 to the creation")


def test_a_dash_is_standard_input(log):
    """Logs may come through a pipe."""
    status, events, _ = run("-", given=FAULT)
    assert (status, [event["file"] for event in events]) == (0, ["-"])


def test_a_fault_is_printed_while_the_input_goes_on():
    """`tail -F nova-compute.log | ...` must not wait for the end of the input."""
    with start("-", stdin=subprocess.PIPE) as process:
        process.stdin.write(FAULT)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["node"] == "compute-0"
        process.stdin.close()


def test_the_samples_hold_six_faults():
    """Three after a failed migration, one in JSON, two after a reinstallation."""
    status, events, _ = run(*sorted(SAMPLES.glob("*.log")))
    assert (status, len(events)) == (0, 6)


def test_a_compressed_log_is_read(tmp_path):
    """Recognised by its content, whatever its name; also in several members."""
    path = tmp_path / "nova-compute.log.2"
    path.write_bytes(gzip.compress(FAULT) + gzip.compress(FAULT))
    assert len(run(path)[1]) == 2


def test_an_unreadable_file_is_reported_and_the_others_are_read(tmp_path, log):
    """In any order."""
    status, events, errors = run(tmp_path / "absent.log", tmp_path, log)
    assert (status, len(events)) == (1, 1)
    assert f"{tmp_path / 'absent.log'}: cannot be read: No such file or directory\n" in errors
    assert f"{tmp_path}: cannot be read: Is a directory\n" in errors


def test_a_truncated_gzip_log_is_reported_after_its_faults(tmp_path):
    """What could be decompressed was read."""
    path = tmp_path / "nova-compute.log.gz"
    packed = gzip.compress(FAULT + os.urandom(1_000_000))
    path.write_bytes(packed[: len(packed) // 2])
    status, events, errors = run(path)
    assert (status, len(events)) == (1, 1)
    assert "the gzip data are broken" in errors


def test_a_file_of_another_compression_is_an_error(tmp_path):
    """Printing nothing would look like a healthy host."""
    path = tmp_path / "nova-compute.log.xz"
    path.write_bytes(b"\xfd7zXZ\0\0\4")
    status, events, errors = run(path)
    assert (status, events) == (1, [])
    assert "it is compressed by xz" in errors


def test_a_reader_that_closes_the_pipe_is_not_an_error(tmp_path):
    """`| head -1` ends quietly."""
    path = tmp_path / "long.log"
    path.write_bytes(FAULT * 2_000)
    with start(path, stdin=subprocess.DEVNULL) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("module", ["__main__", "follow.watch"])
def test_command_and_sensor_need_the_standard_library_only(module):
    """Without site-packages both can be imported; the sensor shares its process with StackStorm's libraries."""
    command = [sys.executable, "-S", "-c", f"import placement_recovery.detection.{module}"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "lib")}, check=True)
