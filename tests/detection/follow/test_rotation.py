"""A log is rotated, in each way, at every point, and the sensor dies around it: each fault is told exactly once."""

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

# Each end of a line, what is around it, and some places inside of lines.
ENDS = [place + 1 for place, byte in enumerate(DATA) if byte == ord("\n")]
CUTS = sorted({0, *ENDS, *(end - 1 for end in ENDS), *(end + 1 for end in ENDS[:-1]), *range(3, len(DATA), 97)})


def rotated(tmp_path, way, cut, before, after):
    """Which faults are told where the log is rotated at `cut`; `before` and `after` are what the sensor does then."""
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
def test_each_fault_is_told_once_wherever_the_log_is_rotated(tmp_path, way, before, after):
    """Also between a fault's two lines, and in the middle of one."""
    told = {cut: rotated(tmp_path, way, cut, before, after) for cut in CUTS}

    assert {cut: found for cut, found in told.items() if found != ["1", "2"]} == {}


@pytest.mark.parametrize("way", WAYS)
def test_rotations_while_the_sensor_is_down_are_caught_up(service, tmp_path, way):
    """Three of them: the file that it knew, two that it never saw, and the one of now."""
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


def test_dated_names_are_caught_up_in_their_order(service, tmp_path):
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


def test_other_service_beside_it_is_none_of_its_rotations(service, tmp_path):
    """nova-compute-ironic.log begins with the same letters."""
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


def test_rest_of_a_file_that_is_deleted_at_once_is_read(sensor, log):
    """rotate 0: it is gone from the folder, and still open here."""
    log.write(fault(1))
    os.unlink(log.path)
    log.write(fault(2))

    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_writer_that_goes_on_in_the_renamed_file_is_read(sensor, log):
    """Until the writer opens the new one, which is empty so long."""
    with log.path.open("ab") as writer:
        log.rename()
        sensor.poll()
        writer.write(fault(1))
    sensor.poll()
    log.write(fault(2))
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_inode_that_is_used_again_is_a_new_file(sensor, log):
    """Only the first bytes tell."""
    log.write(fault(1) + noise())
    sensor.poll()

    content = noise(9) + fault(2) + noise() * 20
    with log.path.open("r+b") as same_inode:
        same_inode.truncate()
        same_inode.write(content)
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_file_that_is_replaced_by_a_longer_copy_goes_on(sensor, log, tmp_path):
    """rsync puts a new file in the old one's place, with more in it."""
    log.write(fault(1))
    sensor.poll()

    copy = tmp_path / ".nova-compute.log.x7"
    copy.write_bytes(log.path.read_bytes() + fault(2))
    os.replace(copy, log.path)
    sensor.poll(2)

    assert sensor.uuids == ["1", "2"]


def test_same_content_after_a_rotation_is_new(sensor, log):
    """A rename leaves the old file beside it: what begins alike is not the same."""
    log.write(fault(1))
    sensor.poll()
    content = log.path.read_bytes()

    log.rename()
    log.write(content)
    sensor.poll(2)

    assert sensor.uuids == ["1", "1"]


def test_log_that_comes_back_from_an_absent_file_system_goes_on(sensor, log):
    """It is the same by inode and content."""
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


def test_broken_gzip_ends_nothing(sensor, log, caplog):
    """What cannot be unpacked is lost, and told, with the line that follows it; the log goes on with the next one."""
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
    """Random pieces, polls, rotations, and kills at any call to StackStorm, out of one seed."""

    def __init__(self, folder, seed):
        self.chance = random.Random(seed)
        self.service, self.log = Service(), Log(folder / "nova-compute.log")
        self.log.write(HEAD)
        self.sensor = Sensor(self.service, self.log.path)
        self.sensor.save()
        # What was never looked at has no mark, and copytruncate leaves nothing else of it.
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
        """One thing that the sensor does, or that is done to it."""
        if what == "kill within":
            self.kill_within()
        _act(self.sensor, what)
        if "poll" in what:
            self.is_known = self.log.path.stat().st_size >= LEAST_FINGERPRINT

    def kill_within(self):
        """At one of the first calls that leave the process."""
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
    """The same faults in the same order; whatever was told twice, by a kill between telling and memory, has one tag."""
    data = b"".join(noise(number) * (number % 3) + fault(number) for number in range(1, 9))
    story = Story(tmp_path / str(seed), seed)

    story.run(data)

    assert list(dict.fromkeys(story.sensor.uuids)) == [str(number) for number in range(1, 9)]
    assert len({one.trace_tag for one in story.service.dispatched}) == 8
