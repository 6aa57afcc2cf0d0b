"""However often nova repeats its line: one trigger a host and while."""

from __future__ import annotations

from placement_recovery.detection.follow import cooldown
from placement_recovery.detection.follow.cooldown import Cooldown
from testkit.nova_log import Sensor, fault


def test_repeated_fault_is_dispatched_once_a_cooldown(service, log):
    """nova repeats it at each periodic; after the while it is told again, for it is still there."""
    sensor = Sensor(service, log.path, cooldown=360)
    sensor.poll()

    for number in range(1, 13):
        log.write(fault(number))
        sensor.poll(12)  # a minute

    assert sensor.uuids == ["1", "7"]


def test_other_hosts_are_dispatched_meanwhile(service, log):
    """The while is the host's."""
    sensor = Sensor(service, log.path, cooldown=360)
    sensor.poll()

    log.write(fault(1, "c-1") + fault(2, "c-2") + fault(3, "c-1"))

    assert sensor.poll() == ["c-1", "c-2"]


def test_cooldown_outlives_the_sensor(service, log):
    """It is remembered with the offsets."""
    sensor = Sensor(service, log.path, cooldown=360)
    sensor.poll()
    log.write(fault(1))
    sensor.poll()

    sensor.start()
    log.write(fault(2))

    assert len(sensor.poll(2)) == 1


def test_clock_that_was_set_back_does_not_silence_a_host():
    """A while that lies in the future is over."""
    told = Cooldown(360, {"c-1": 2000.0}, now=lambda: 1000.0)

    assert told.allows("c-1")


def test_so_many_hosts_and_no_more_are_remembered(monkeypatch):
    """The oldest goes first."""
    monkeypatch.setattr(cooldown, "MOST_HOSTS", 2)
    told = Cooldown(360, now=lambda: 1000.0)

    for host in ("a", "b", "c"):
        told.begin(host)

    assert sorted(told.state()) == ["b", "c"]
