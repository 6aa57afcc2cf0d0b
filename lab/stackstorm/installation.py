"""A StackStorm with the pack on a lab, as the runner plays it: one configuration, one datastore, sensor and rules.

What a person, a sensor and the rules engine do there; the demos show it, and the tests on a real Nova judge it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.openstack.cloud import Lab
from lab.stackstorm import matching, runner, sensors, triggers
from lab.stackstorm.runner import ROOT, Execution, OnEvent, Running
from lab.waiting import wait_until

PACK = "placement_recovery"
FAULT_TRIGGER = f"{PACK}.provider_creation_failed"
# A machine may have other things to do; a run that takes this long hangs.
RUN_SECONDS = 300.0
SENSOR_SECONDS = 60.0


def _nobody(_event: runner.Event) -> None:
    """Hears events that nobody asked for."""


class StackStorm:
    """``config`` is the pack's configuration, by default one that fits the lab."""

    def __init__(self, lab: Lab, datastore: Path, config: Mapping[str, Any] | None = None) -> None:
        self.lab, self.datastore = lab, datastore
        self.config = dict(config or _config(lab))

    def configured(self, **options: Any) -> StackStorm:
        """The same, over the same datastore, with some options of the pack's configuration changed."""
        return StackStorm(self.lab, self.datastore, {**self.config, **options})

    def start(
        self, action: str, parameters: Mapping[str, Any], on_event: OnEvent = _nobody, trigger: Any = None
    ) -> Running:
        """Start an action by its reference; ``trigger`` is the payload that its parameters are rendered with."""
        return runner.start(
            action, parameters, config=self.config, datastore=self.datastore, trigger=trigger, on_event=on_event
        )

    def run(
        self, action: str, parameters: Mapping[str, Any], on_event: OnEvent = _nobody, trigger: Any = None
    ) -> Execution:
        """The same to its end, however it ends."""
        with self.start(action, parameters, on_event, trigger) as running:
            return running.wait(RUN_SECONDS)

    def type_words(self, words: str, on_event: OnEvent = _nobody) -> Execution:
        """Run what a person was told to type: ``st2 run ACTION NAME=VALUE ...``."""
        action, *given = words.split()[2:]
        return self.run(action, dict(one.split("=", 1) for one in given), on_event)

    @contextlib.contextmanager
    def log_sensor(self) -> Iterator[sensors.RunningSensor]:
        """The log sensor in a process of its own, once it follows ``log_globs``."""
        with sensors.start("log_sensor.py", "LogSensor", config=self.config, datastore=self.datastore) as sensor:
            wait_until("the sensor follows the logs", lambda: "following" in sensor.log(), SENSOR_SECONDS)
            yield sensor

    def dispatched(self, reference: str, after: int = 0) -> list[triggers.Instance]:
        """The triggers of this name that went out after the one of that id."""
        return [one for one in triggers.read(self.datastore, after) if one.trigger == reference]

    def matches(self, instance: triggers.Instance) -> list[matching.Match]:
        """The pack's rules that a trigger meets."""
        return matching.match(instance.trigger, instance.payload)

    def obey(self, match: matching.Match, instance: triggers.Instance, on_event: OnEvent = _nobody) -> Execution:
        """Run what a rule starts for a trigger."""
        return self.run(match.action, match.parameters, on_event, trigger=instance.payload)


def _config(lab: Lab) -> dict[str, Any]:
    command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "lab", "restart-compute"]
    return {
        "clouds_file": str(lab.clouds_yaml),
        "cloud": "lab",
        "restart_how": "command",
        "restart_where": "local",
        "restart_command": [*command, "--folder", str(lab.folder), "{host}"],
    }
