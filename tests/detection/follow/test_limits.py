"""Nothing that a file is or does ends the sensor, and none makes it work, or hold, without bounds."""

from __future__ import annotations

import json
import os
import tracemalloc

import pytest

from placement_recovery.detection.follow import follower, watch
from placement_recovery.detection.follow import positions as memory
from testkit.nova_log import Log, Sensor, fault, noise


def bad_files(folder):
    """A directory, a fifo, a dead link and a loop of links where a log should be."""
    for name in ("directory", "fifo", "dead", "loop"):
        (folder / name).mkdir()
    (folder / "directory" / "nova-compute.log").mkdir()
    os.mkfifo(folder / "fifo" / "nova-compute.log")
    os.symlink("/nowhere", folder / "dead" / "nova-compute.log")
    os.symlink("nova-compute.log", folder / "loop" / "nova-compute.log")


def test_what_is_no_log_is_told_once_and_passed_over(service, tmp_path, caplog):
    """The others are followed all the same."""
    bad_files(tmp_path)
    log = Log(tmp_path / "compute-0" / "nova-compute.log")
    log.write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")
    sensor.poll()

    log.write(fault(1))

    assert len(sensor.poll(3)) == 1
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sorted(told) == [
        f"{tmp_path}/directory/nova-compute.log: Is a directory",
        f"{tmp_path}/fifo/nova-compute.log: it is no regular file",
        f"{tmp_path}/loop/nova-compute.log: Too many levels of symbolic links",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_log_that_may_not_be_read_is_begun_at_its_end_when_it_may(service, log, caplog):
    """It was there before: what it held is old."""
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


def test_file_that_vanishes_between_two_looks_is_nothing(sensor, log):
    """The writer may do anything at any time."""
    os.unlink(log.path)
    sensor.poll(2)
    log.write(fault(1))

    assert len(sensor.poll(2)) == 1


def test_binary_and_endless_lines_hold_nothing_up(sensor, log):
    """Memory does not grow with them, and what comes after them is read."""
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


def test_poll_reads_a_bounded_amount_of_each_log_in_turn(service, tmp_path, monkeypatch):
    """A huge backlog does not keep the other logs waiting."""
    monkeypatch.setattr(follower, "MOST_BYTES", 200_000)
    monkeypatch.setattr(follower, "ADVANCE", 100_000)
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
    """So many triggers a poll, and nothing is lost."""
    monkeypatch.setattr(watch, "MOST_TRIGGERS", 3)
    log.write(b"".join(fault(number, f"c-{number}") for number in range(1, 9)))

    assert [len(sensor.poll()) for _ in range(4)] == [3, 6, 8, 8]


def test_no_more_logs_than_it_can_follow(service, tmp_path, monkeypatch, caplog):
    """The rest is told."""
    monkeypatch.setattr(follower, "MOST_FILES", 3)
    for number in range(5):
        Log(tmp_path / f"c-{number}" / "nova-compute.log").write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")

    sensor.poll(3)

    assert [record.getMessage() for record in caplog.records if "more than" in record.getMessage()] == [
        "log_globs: more than 3 logs: the rest is not followed"
    ]


def test_log_that_is_long_gone_is_forgotten(sensor, log):
    """A day later; the datastore does not fill up with what was."""
    os.unlink(log.path)
    sensor.poll()
    sensor.times.passed += follower.FORGET_SECONDS + 1
    sensor.poll()
    sensor.save()

    assert json.loads(next(iter(sensor.service.values.values())))["logs"] == {}


def test_memory_that_would_be_too_large_leaves_out_what_can_be_read_again(sensor, log, monkeypatch):
    """Where each log was left off matters more than a fault whose second line is yet to come."""
    log.write(fault(1).splitlines(True)[0])
    sensor.poll()
    monkeypatch.setattr(memory, "LARGEST_TEXT", 500)
    sensor.times.passed += 60
    log.write(fault(2).splitlines(True)[0])
    sensor.watch._read(sensor.watch._follower)
    sensor.watch._save()

    (kept,) = json.loads(next(iter(sensor.service.values.values())))["logs"].values()
    assert kept["parser"]["cases"] == []
    assert kept["reached"] == log.path.stat().st_size


def test_host_that_no_host_can_be_called_is_told_and_not_dispatched(service, tmp_path, caplog):
    """A folder of a central tree may be called anything."""
    log = Log(tmp_path / "lost and found" / "nova-compute.log")
    log.write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")
    sensor.poll()

    log.write(fault(1))

    assert sensor.poll(2) == []
    assert "a fault of nobody: host name 'lost and found' has ' '" in caplog.text


def test_trouble_with_another_cause_is_told_and_not_dispatched(sensor, log, caplog):
    """Placement answered 503: recovering then would destroy a healthy provider."""
    log.write(fault(1).replace(b"Got 409", b"Got 503"))

    assert sensor.poll(3) == []
    assert "it is not the fault that is recovered: Placement answered 503" in caplog.text
