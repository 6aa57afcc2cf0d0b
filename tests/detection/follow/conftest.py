"""What the tests of the follower share: a log in its own folder, and a sensor that follows it."""

from __future__ import annotations

import pytest

from testkit.nova_log import Log, Sensor, Service


@pytest.fixture
def service():
    """The service of a sensor."""
    return Service()


@pytest.fixture
def log(tmp_path):
    """A log with one harmless line."""
    log = Log(tmp_path / "nova-compute.log")
    log.write(b"2026-11-22 11:00:00.000 7 INFO nova.service [-] Starting compute node\n")
    return log


@pytest.fixture
def sensor(service, log):
    """A sensor that has polled the log."""
    sensor = Sensor(service, log.path)
    sensor.poll()
    sensor.save()
    return sensor
