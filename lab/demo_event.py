"""``make demo-event``: a real nova-compute logs the fault, the pack's sensor reads it, and nobody touches anything.

The sensor runs in a process of its own on nova-compute's own log, its trigger meets the pack's own rule, and the rule
starts the pack's own recover_host. With ``--automation when_safe`` (the default) the host is healthy in the end; with
``ask`` it waits for approval, and the words that it says are then typed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lab import demo
from lab.cloud import RELEASES, Lab
from lab.environments import InstallError, ensure
from lab.runner import client as runner
from lab.runner import sensors, triggers
from lab.waiting import LabError, wait_until

HOST = demo.HOST
TRIGGER = "placement_recovery.provider_creation_failed"
TRIGGER_SECONDS = 60.0
# A trigger may come before Nova lists the host's new node; then the next one has to come soon.
COOLDOWN, LOG_COOLDOWN = 5, 15
PATIENCE = 240.0


class EventDemo(demo.Demo):
    """One run: break a host, and watch."""

    def __init__(self, lab: Lab, automation: str, story: demo.Story) -> None:
        super().__init__(lab, "preserve", story)
        self.automation = automation
        self.config |= {
            "automation": automation,
            "cooldown": COOLDOWN,
            "log_globs": [str(lab.log("compute-*"))],
            "log_cooldown": LOG_COOLDOWN,
        }
        self.datastore = lab.folder / "datastore.sqlite"

    def run(self) -> None:
        """The whole story. Raises LabError where the end is not what was promised."""
        where = HOST if self.lab.release == "26" else "compute-1"
        self.story.head(f"booting {len(demo.SERVERS)} servers on {where}")
        self.lab.client.boot_many(demo.SERVERS, where)
        self.story.head(f"starting the log sensor on {self.config['log_globs'][0]}")
        with sensors.start("log_sensor.py", "LogSensor", config=self.config, datastore=self.datastore) as sensor:
            wait_until("the sensor follows the logs", lambda: "following" in sensor.log(), TRIGGER_SECONDS)
            self._break_and_watch(sensor)
        self._await_periodic()
        self._check(self._before, self._held(self.lab.client.provider(HOST)["uuid"]))
        self.story.head(f"booting a new server on {HOST}")
        self.story.say(f"{self.lab.client.boot('after', HOST)} is ACTIVE on {HOST}")

    def _break_and_watch(self, sensor: sensors.RunningSensor) -> None:
        self.story.head(f"breaking {HOST}: {demo.FAULTS[self.lab.release].__doc__}")
        mark = self.lab.mark(HOST)
        fault = demo.FAULTS[self.lab.release](self.lab, HOST)
        self._before = self._held(fault.stale_uuid)
        self._show_log(mark)
        self._show_table("allocations before", self._before)
        self._react(sensor)
        after = self._held(self.lab.client.provider(HOST)["uuid"])
        self._show_table("allocations after", after)
        self._check(self._before, after)

    def _react(self, sensor: sensors.RunningSensor) -> None:
        """What StackStorm's rules engine does: each trigger, each rule that it meets, the rule's action."""
        deadline, seen = time.monotonic() + PATIENCE, 0
        while time.monotonic() < deadline:
            if not sensor.is_running:
                raise LabError(f"the sensor has ended:\n{sensor.log()}")
            (instance, *_) = triggers.wait(self.datastore, timeout=TRIGGER_SECONDS, after=seen)
            seen = instance.id
            if instance.trigger == TRIGGER:
                self._show_trigger(instance)
            for match in triggers.match(instance.trigger, instance.payload):
                if self._is_over(self._start(match, instance.payload)):
                    return
        raise LabError(f"{HOST} is not recovered after {PATIENCE:.0f} s")

    def _show_trigger(self, instance: triggers.Instance) -> None:
        logged = datetime.strptime(instance.payload["time"], "%Y-%m-%d %H:%M:%S.%f").timestamp()
        self.story.head(f"{instance.trigger}, {instance.time - logged:.1f} s after nova-compute's line")
        for name, value in instance.payload.items():
            self.story.say(f"{name:<18} {value}")

    def _start(self, match: triggers.Match, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        self.story.head(f"rule {match.rule} starts {match.action}")
        execution = runner.run(
            match.action, match.parameters, trigger=payload, config=self.config, datastore=self.datastore,
            on_event=self._event,
        )  # fmt: skip
        output: Mapping[str, Any] = execution.output or {}
        self.story.head(f"{match.action} {execution.status}: {output.get('state')}")
        self.story.say(output.get("summary", "no summary"))
        return output

    def _is_over(self, output: Mapping[str, Any]) -> bool:
        if output.get("state") == "needs_approval" and self.automation == "ask":
            self._approve(output)
            return True
        return output.get("state") == "finished"

    def _approve(self, output: Mapping[str, Any]) -> None:
        """Type what it says."""
        self.story.head(str(output["next"]))
        words = str(output["next"]).split()
        given = dict(word.split("=", 1) for word in words if "=" in word)
        execution = runner.run(
            "placement_recovery.recover_host", given, config=self.config, datastore=self.datastore, on_event=self._event
        )
        done: Mapping[str, Any] = execution.output or {}
        self.story.head(f"recover_host {execution.status}: {done.get('state')}")
        self.story.say(done.get("summary", "no summary"))
        if done.get("state") != "finished":
            raise LabError(f"the approved recovery ended with: {done.get('summary')}")


def main() -> int:
    """Run the demo; what goes wrong is one line on stderr and the exit code 1."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.demo_event", description=__doc__)
    parser.add_argument("--automation", choices=("ask", "when_safe"), default="when_safe")
    parser.add_argument("--release", choices=RELEASES, default="26", help="of nova (default: %(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    story = demo.Story()
    try:
        story.head("installing what is not there yet (the first time this takes minutes)")
        for name in ("pack", "orquesta", f"nova-{options.release}"):
            story.say(f"{name}: {ensure(name)}")
        story.head(f"starting Keystone, Placement and nova {options.release} with two nova-compute")
        with Lab(options.release) as lab:
            EventDemo(lab, options.automation, story).run()
            story.head("stopping the lab")
    except (LabError, TimeoutError, InstallError, runner.Refused, runner.EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    story.head(f"done: {HOST} is recovered (automation: {options.automation})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
