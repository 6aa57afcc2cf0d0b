"""`python3 -m placement_recovery.detection.logs`, as it is typed."""

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
TROUBLE = as_bytes(answered(503, "<html>"), failed())


def start(*arguments, **streams):
    """Start the command with the library on the path and nothing else."""
    command = [sys.executable, "-m", "placement_recovery.detection.logs", *map(str, arguments)]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **streams,
    )


def run(*arguments, given=b""):
    """Its exit code, its lines as values, and its words on stderr."""
    with start(*arguments, stdin=subprocess.PIPE) as process:
        output, errors = process.communicate(given, timeout=60)
    return process.returncode, [json.loads(line) for line in output.splitlines()], errors.decode()


@pytest.fixture
def log(tmp_path):
    """A log with a fault and a trouble."""
    path = tmp_path / "nova-compute.log"
    path.write_bytes(FAULT + TROUBLE)
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


def test_all_adds_the_troubles(log):
    """With their kind and their cause."""
    status, (fault, trouble), _ = run("--all", log)
    assert status == 0
    assert "kind" not in fault
    assert (trouble["kind"], trouble["cause"]) == ("unavailable", "Placement answered 503 to the creation")


def test_a_dash_is_standard_input(log):
    """Logs may come through a pipe."""
    status, events, _ = run("-", given=FAULT)
    assert (status, [event["file"] for event in events]) == (0, ["-"])


def test_a_fault_is_printed_while_the_input_goes_on():
    """`tail -F nova-compute.log | ...` must not wait for an end that never comes."""
    with start("-", stdin=subprocess.PIPE) as process:
        process.stdin.write(FAULT)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["node"] == "compute-0"
        process.stdin.close()


def test_the_samples_hold_six_faults():
    """Three after a failed migration, one in JSON, two after a reinstallation."""
    status, events, _ = run(*sorted(SAMPLES.glob("*.log")))
    assert (status, len(events)) == (0, 6)


def test_a_rotated_log_is_read_packed(tmp_path):
    """By its content, whatever it is called, and in several members as well."""
    path = tmp_path / "nova-compute.log.2"
    path.write_bytes(gzip.compress(FAULT) + gzip.compress(FAULT))
    assert len(run(path)[1]) == 2


def test_an_unreadable_file_is_told_and_the_others_are_read(tmp_path, log):
    """In any order."""
    status, events, errors = run(tmp_path / "absent.log", tmp_path, log)
    assert (status, len(events)) == (1, 1)
    assert f"{tmp_path / 'absent.log'}: cannot be read: No such file or directory\n" in errors
    assert f"{tmp_path}: cannot be read: Is a directory\n" in errors


def test_a_packed_log_that_is_cut_off_is_told_after_its_faults(tmp_path):
    """What could be unpacked was read."""
    path = tmp_path / "nova-compute.log.gz"
    packed = gzip.compress(FAULT + os.urandom(1_000_000))
    path.write_bytes(packed[: len(packed) // 2])
    status, events, errors = run(path)
    assert (status, len(events)) == (1, 1)
    assert "the gzip data are broken" in errors


def test_a_file_of_another_packer_is_no_empty_log(tmp_path):
    """Silence would look like health."""
    path = tmp_path / "nova-compute.log.xz"
    path.write_bytes(b"\xfd7zXZ\0\0\4")
    status, events, errors = run(path)
    assert (status, events) == (1, [])
    assert "it is packed by xz" in errors


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    """`| head -1` ends quietly."""
    path = tmp_path / "long.log"
    path.write_bytes(FAULT * 2_000)
    with start(path, stdin=subprocess.DEVNULL) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_the_library_loads_nothing_but_python_itself():
    """A sensor shares its process with StackStorm's libraries."""
    listed = "[n for n in sys.modules if n.startswith('placement_recovery.')]"
    code = f"import sys, placement_recovery.detection.logs; print({listed})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    output = subprocess.run([sys.executable, "-S", "-c", code], env=environment, capture_output=True, check=True).stdout
    assert all("'placement_recovery.detection.logs" in name for name in output.decode().split(","))
