"""A log is rotated in each way, at every point, with kills around it: each fault is dispatched exactly once."""

from __future__ import annotations

import contextlib
import itertools
import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placement_recovery.detection.follow.logfile import LEAST_FINGERPRINT
from testkit.nova_log import Killed, Log, Sensor, Service, fault, noise

DATA = noise(1) + fault(1) + noise(2) + fault(2) + noise(3)
HEAD = b"2026-11-22 11:00:00.000 7 INFO nova.service [-] Starting compute node\n"
WAYS = ("rename", "copytruncate", "compress", "copy_and_compress")

# The end of each line, one byte before and after it, and some places inside lines.
ENDS = [place + 1 for place, byte in enumerate(DATA) if byte == ord("\n")]
CUTS = sorted({0, *ENDS, *(end - 1 for end in ENDS), *(end + 1 for end in ENDS[:-1]), *range(3, len(DATA), 97)})


def rotated(tmp_path, way, cut, before, after):
    """The faults dispatched if the log is rotated at `cut`; `before` and `after` are what the sensor does then."""
    service, log = Service(), Log(tmp_path / f"{way}-{cut}-{before}-{after}" / "nova-compute.log")
    log.write(HEAD)
    sensor = Sensor(service, log.path)
    sensor.save()
    log.write(DATA[:cut])
    _act(sensor, before)
    getattr(log, way)()
    _act(sensor, after)
    log.write(DATA[cut:])
    sensor.poll(4)
    return sensor.uuids


def _act(sensor, what):
    if what in ("poll", "poll, kill"):
        sensor.poll()
    if what in ("kill", "poll, kill"):
        sensor.start()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", ["poll", "nothing", "kill", "poll, kill"])
@pytest.mark.parametrize("after", ["nothing", "poll", "kill"])
def test_each_fault_is_dispatched_once_wherever_the_log_is_rotated(tmp_path, way, before, after):
    """Also between the two lines of a fault, and within one."""
    dispatched = {cut: rotated(tmp_path, way, cut, before, after) for cut in CUTS}

    assert {cut: found for cut, found in dispatched.items() if found != ["1", "2"]} == {}


@pytest.mark.parametrize("way", WAYS)
def test_rotations_while_the_sensor_is_down_are_caught_up(service, tmp_path, way):
    """Three rotations: the file that it knew, two that it never saw, and the present one."""
    log = Log(tmp_path / "nova-compute.log")
    log.write(HEAD)
    sensor = Sensor(service, log.path)
    sensor.save()
    log.write(fault(1))
    sensor.poll()

    for number in (2, 3, 4):
        log.write(fault(number))
        getattr(log, way)()
    log.write(fault(5))
    sensor.start()
    sensor.poll(3)

    assert sensor.uuids == ["1", "2", "3", "4", "5"]


def test_dated_names_are_caught_up_in_order(service, tmp_path):
    """logrotate's dateext, with and without the extension at the end."""
    log = Log(tmp_path / "nova-compute.log")
    log.write(HEAD)
    sensor = Sensor(service, log.path)
    sensor.save()

    for number, name in enumerate(("nova-compute-20261120.log", "nova-compute-20261121.log"), start=1):
        log.write(fault(number))
        os.rename(log.path, tmp_path / name)
    log.write(fault(3))
    sensor.start()
    sensor.poll(3)

    assert sensor.uuids == ["1", "2", "3"]


def test_log_of_another_service_is_not_a_rotated_file(service, tmp_path):
    """nova-compute-ironic.log starts with the same letters."""
    log, other = Log(tmp_path / "nova-compute.log"), Log(tmp_path / "nova-compute-ironic.log")
    log.write(HEAD)
    other.write(noise() + fault(7))
    sensor = Sensor(service, log.path)
    sensor.save()

    log.write(fault(1))
    log.compress()
    log.write(fault(2))
    sensor.start()
    sensor.poll(3)

    assert sensor.uuids == ["1", "2"]


def test_rest_of_a_deleted_file_is_read(sensor, log):
    """With rotate 0 the file leaves the folder, but is still open here."""
    log.write(fault(1))
    os.unlink(log.path)
    log.write(fault(2))

    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_writer_that_continues_in_the_renamed_file_is_read(sensor, log):
    """The new file is empty until the writer opens it."""
    with log.path.open("ab") as writer:
        log.rename()
        sensor.poll()
        writer.write(fault(1))
    sensor.poll()
    log.write(fault(2))
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_reused_inode_is_a_new_file(sensor, log):
    """Only the fingerprint differs."""
    log.write(fault(1) + noise())
    sensor.poll()

    content = noise(9) + fault(2) + noise() * 20
    with log.path.open("r+b") as same_inode:
        same_inode.truncate()
        same_inode.write(content)
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_file_that_is_replaced_by_a_longer_copy_is_continued(sensor, log, tmp_path):
    """rsync replaces the file by a new one with more content."""
    log.write(fault(1))
    sensor.poll()

    copy = tmp_path / ".nova-compute.log.x7"
    copy.write_bytes(log.path.read_bytes() + fault(2))
    os.replace(copy, log.path)
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_same_content_after_a_rotation_is_new(sensor, log):
    """A rename leaves the old file beside the new one, so the new one is not its copy."""
    log.write(fault(1))
    sensor.poll()
    content = log.path.read_bytes()

    log.rename()
    log.write(content)
    sensor.poll(2)

    assert sensor.uuids == ["1", "1"]


def test_log_whose_file_system_was_unmounted_is_continued(sensor, log):
    """Inode and fingerprint identify it."""
    log.write(fault(1))
    sensor.poll()
    away = log.path.with_suffix(".away")

    os.rename(log.path, away)
    sensor.start()
    sensor.poll(2)
    os.rename(away, log.path)
    log.write(fault(2))
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_broken_gzip_does_not_stop_the_sensor(sensor, log, caplog):
    """The unreadable rest is lost, and logged, together with the line after it; the following ones are read."""
    log.write(fault(1))
    log.compress()
    packed = log.path.with_name("nova-compute.log.1.gz")
    packed.write_bytes(packed.read_bytes()[:-20])
    log.write(noise() + fault(2))
    sensor.start()
    sensor.poll(3)

    assert sensor.uuids[-1] == "2"
    assert "the gzip data are broken" in caplog.text


class Story:
    """Random writes, polls, rotations, and kills at any call to StackStorm, from one seed."""

    def __init__(self, folder, seed):
        self.chance = random.Random(seed)
        self.service, self.log = Service(), Log(folder / "nova-compute.log")
        self.log.write(HEAD)
        self.sensor = Sensor(self.service, self.log.path)
        self.sensor.save()
        # A file that was never polled has no fingerprint, and copytruncate keeps nothing else of it.
        self.is_known = True

    def run(self, data):
        """Write all of it, in pieces."""
        while data:
            size = self.chance.choice((1, 50, 300, 900, 2000))
            self.log.write(data[:size])
            data = data[size:]
            for _ in range(self.chance.randrange(3)):
                self.act(self.chance.choice(("poll", "kill", "kill within", "poll, kill")))
            if self.chance.random() < 0.35 and self.is_known:
                getattr(self.log, self.chance.choice(WAYS))()
                self.is_known = False
        self.sensor.poll(5)

    def act(self, what):
        """Poll, or kill the sensor."""
        if what == "kill within":
            self.kill_within()
        _act(self.sensor, what)
        if "poll" in what:
            self.is_known = self.log.path.stat().st_size >= LEAST_FINGERPRINT

    def kill_within(self):
        """Kill the sensor at one of its first calls to StackStorm."""
        calls = itertools.count()
        at = self.chance.randrange(3)
        self.service.fail = lambda call: Killed() if call in ("dispatch", "set_value") and next(calls) == at else None
        with contextlib.suppress(Killed):
            self.sensor.poll()
        self.service.fail = lambda call: None
        self.sensor.start()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_anything_in_any_order(tmp_path, seed):
    """All faults in order; a trigger repeated by a kill between dispatch and save has the same tag."""
    data = b"".join(noise(number) * (number % 3) + fault(number) for number in range(1, 9))
    story = Story(tmp_path / str(seed), seed)

    story.run(data)

    assert list(dict.fromkeys(story.sensor.uuids)) == [str(number) for number in range(1, 9)]
    assert len({one.trace_tag for one in story.service.dispatched}) == 8
