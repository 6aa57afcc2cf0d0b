"""What the tests of rules share: a log line's whole way, from the file to the end of recover_host."""

from __future__ import annotations

import logging

import pytest

from lab.stackstorm import matching, runner, triggers
from lab.stackstorm.services import SensorService
from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.watch import Watch
from testkit.nova_log import Log, noise


@pytest.fixture
def log(tmp_path):
    """nova-compute's log on some host; the sensor has seen it."""
    log = Log(tmp_path / "nova-compute.log")
    log.write(noise())
    return log


@pytest.fixture
def watch(datastore, log):
    """What the sensor does at each poll, over the datastore's file."""
    service = SensorService("placement_recovery", "LogSensor")
    watch = Watch(service, [LogGlob(str(log.path))], logging.getLogger("test"), from_start=False, cooldown=360)
    watch.poll()
    yield watch
    watch.close()


@pytest.fixture
def react(cloud, datastore):
    """Run all that the rules start for the triggers that went out, automation being when_safe; the executions."""

    def run(**options):
        config = cloud.config(store="datastore", automation="when_safe", **options)
        return [
            runner.run(match.action, match.parameters, trigger=one.payload, config=config, datastore=datastore)
            for one in triggers.read(datastore)
            for match in matching.match(one.trigger, one.payload)
        ]

    return run
