"""No file can stop the sensor, nor make its work or memory unbounded."""

from __future__ import annotations

import json
import os
import tracemalloc

import pytest

from placement_recovery.detection.follow import follower, positions, watch
from testkit.nova_log import Log, Sensor, fault, noise


def bad_files(folder):
    """Put a directory, a FIFO, a dead link and a loop of links where a log should be."""
    for name in ("directory", "fifo", "dead", "loop"):
        (folder / name).mkdir()
    (folder / "directory" / "nova-compute.log").mkdir()
    os.mkfifo(folder / "fifo" / "nova-compute.log")
    os.symlink("/nowhere", folder / "dead" / "nova-compute.log")
    os.symlink("nova-compute.log", folder / "loop" / "nova-compute.log")


def test_unusable_file_is_logged_once_and_skipped(service, tmp_path, caplog):
    """The others are followed. Each message bears the sensor's name, by which docs/detection.md finds it."""
    bad_files(tmp_path)
    log = Log(tmp_path / "compute-0" / "nova-compute.log")
    log.write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")
    sensor.poll()

    log.write(fault(1))

    assert len(sensor.poll(3)) == 1
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sorted(warnings) == [
        f"LogSensor: {tmp_path}/directory/nova-compute.log: Is a directory",
        f"LogSensor: {tmp_path}/fifo/nova-compute.log: it is not a regular file",
        f"LogSensor: {tmp_path}/loop/nova-compute.log: Too many levels of symbolic links",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_log_that_becomes_readable_is_followed_from_its_end(service, log, caplog):
    """It existed before the first poll: its content is old."""
    log.write(fault(1))
    log.path.chmod(0)
    sensor = Sensor(service, log.path)
    sensor.poll(2)
    assert "Permission denied" in caplog.text

    log.path.chmod(0o600)
    sensor.poll()
    log.write(fault(2))

    sensor.poll()
    assert sensor.uuids == ["2"]


def test_log_that_vanishes_between_two_polls_is_harmless(sensor, log):
    """The writer creates it again later."""
    os.unlink(log.path)
    sensor.poll(2)
    log.write(fault(1))

    assert len(sensor.poll(2)) == 1


def test_binary_data_and_endless_lines_are_skipped(sensor, log):
    """Memory does not grow with them, and the lines after them are read."""
    log.write(os.urandom(200_000))
    sensor.poll()
    tracemalloc.start()
    for _ in range(12):
        log.write(b"x" * 1024 * 1024)
        sensor.poll()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    log.write(b"\n" + fault(1))
    sensor.poll()

    assert sensor.uuids == ["1"]
    assert held < 12 * 1024 * 1024


def test_poll_reads_a_bounded_amount_of_each_log(service, tmp_path, monkeypatch):
    """A huge backlog does not delay the other logs."""
    monkeypatch.setattr(follower, "MOST_BYTES", 200_000)
    monkeypatch.setattr(follower, "TURN_BYTES", 100_000)
    busy, other = Log(tmp_path / "a" / "nova-compute.log"), Log(tmp_path / "b" / "nova-compute.log")
    busy.write(noise())
    other.write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")
    sensor.poll()

    busy.write(noise() * 5000 + fault(1))
    other.write(fault(2))

    sensor.poll(2)
    assert sensor.uuids == ["2"]
    sensor.poll(8)
    assert sensor.uuids == ["2", "1"]


def test_forged_log_does_not_flood(sensor, log, monkeypatch):
    """The number of triggers per poll is limited, and none is lost."""
    monkeypatch.setattr(watch, "MOST_TRIGGERS", 3)
    log.write(b"".join(fault(number, f"c-{number}") for number in range(1, 9)))

    assert [len(sensor.poll()) for _ in range(4)] == [3, 6, 8, 8]


def test_number_of_followed_logs_is_bounded(service, tmp_path, monkeypatch, caplog):
    """The excess is logged."""
    monkeypatch.setattr(follower, "MOST_FILES", 3)
    for number in range(5):
        Log(tmp_path / f"c-{number}" / "nova-compute.log").write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")

    sensor.poll(3)

    assert [record.getMessage() for record in caplog.records if "more than" in record.getMessage()] == [
        "LogSensor: log_globs: more than 3 logs match: the rest is not followed"
    ]


def test_log_that_was_missing_for_a_day_is_forgotten(sensor, log):
    """So the datastore does not fill up."""
    os.unlink(log.path)
    sensor.poll()
    sensor.times.passed += follower.FORGET_SECONDS + 1
    sensor.poll()
    sensor.save()

    assert json.loads(next(iter(sensor.service.values.values())))["logs"] == {}


def test_positions_that_would_be_too_large_omit_pending_faults(sensor, log, monkeypatch):
    """The positions matter more than a fault that still waits for its second line, which nova repeats."""
    log.write(fault(1).splitlines(True)[0])
    sensor.poll()
    monkeypatch.setattr(positions, "LARGEST_TEXT", 500)
    sensor.times.passed += 60
    log.write(fault(2).splitlines(True)[0])
    sensor.watch._read(sensor.watch._follower)
    sensor.watch._save()

    (kept,) = json.loads(next(iter(sensor.service.values.values())))["logs"].values()
    assert kept["parser"]["pending"] == []
    assert kept["reached"] == log.path.stat().st_size


def test_fault_with_an_unusable_host_name_is_logged_and_not_dispatched(service, tmp_path, caplog):
    """A folder of a central tree may have any name."""
    log = Log(tmp_path / "lost and found" / "nova-compute.log")
    log.write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")
    sensor.poll()

    log.write(fault(1))

    assert sensor.poll(2) == []
    assert "a fault with an unusable host name: payload field host: host name 'lost and found' has ' '" in caplog.text


def test_other_failure_is_logged_and_not_dispatched(sensor, log, caplog):
    """Placement answered 503: a recovery would destroy a healthy provider."""
    log.write(fault(1).replace(b"Got 409", b"Got 503"))

    assert sensor.poll(3) == []
    assert "for a reason that the pack does not recover: Placement answered 503" in caplog.text
