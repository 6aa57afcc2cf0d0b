"""log_cooldown: one trigger per host and period, however often nova repeats its line."""

from __future__ import annotations

from placement_recovery.detection.follow import cooldown
from placement_recovery.detection.follow.cooldown import Cooldown
from testkit.nova_log import Sensor, fault


def test_repeated_fault_is_dispatched_once_per_cooldown(service, log):
    """nova repeats it in each periodic task; after the cooldown it is dispatched again, because it persists."""
    sensor = Sensor(service, log.path, cooldown=360)
    sensor.poll()

    for number in range(1, 13):
        log.write(fault(number))
        sensor.poll(12)  # a minute

    assert sensor.uuids == ["1", "7"]


def test_other_hosts_are_dispatched_meanwhile(service, log):
    """Each host has its own cooldown."""
    sensor = Sensor(service, log.path, cooldown=360)
    sensor.poll()

    log.write(fault(1, "c-1") + fault(2, "c-2") + fault(3, "c-1"))

    assert sensor.poll() == ["c-1", "c-2"]


def test_cooldown_outlives_the_sensor(service, log):
    """It is saved with the log positions."""
    sensor = Sensor(service, log.path, cooldown=360)
    sensor.poll()
    log.write(fault(1))
    sensor.poll()

    sensor.start()
    log.write(fault(2))

    assert len(sensor.poll(2)) == 1


def test_clock_that_was_set_back_does_not_silence_a_host():
    """A cooldown that began in the future has expired."""
    cooling = Cooldown(360, {"c-1": 2000.0}, now=lambda: 1000.0)

    assert cooling.allows("c-1")


def test_number_of_hosts_is_bounded(monkeypatch):
    """The oldest is dropped first."""
    monkeypatch.setattr(cooldown, "MOST_HOSTS", 2)
    cooling = Cooldown(360, now=lambda: 1000.0)

    for host in ("a", "b", "c"):
        cooling.begin(host)

    assert sorted(cooling.state()) == ["b", "c"]
