"""``make demo-event``: a real nova-compute logs the fault, the pack's sensor reads it, and nobody touches anything.

The sensor runs in a process of its own on nova-compute's own log, its trigger meets the pack's own rule, and the rule
starts the pack's own recover_host. With ``--automation when_safe`` (the default) the host is healthy in the end; with
``ask`` it waits for approval, and the words that it says are then typed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lab.demos.stage import HOST, Scene, Story, perform
from lab.openstack.cloud import RELEASES, Lab
from lab.stackstorm import matching, sensors, triggers
from lab.stackstorm.installation import FAULT_TRIGGER
from lab.waiting import LabError

TRIGGER_SECONDS = 60.0
# A trigger may come before Nova lists the host's new node; then the next one has to come soon.
COOLDOWN, LOG_COOLDOWN = 5, 15
PATIENCE = 240.0


class EventDemo(Scene):
    """One run: break a host, and watch."""

    def __init__(self, lab: Lab, automation: str, story: Story) -> None:
        logs = str(lab.log("compute-*"))
        options = {"automation": automation, "cooldown": COOLDOWN, "log_globs": [logs], "log_cooldown": LOG_COOLDOWN}
        super().__init__(lab, story, periodic_wait=30, **options)
        self._automation, self._logs = automation, logs

    def run(self) -> None:
        """The whole story. Raises LabError where the end is not what was promised."""
        self.boot_servers()
        self.story.head(f"starting the log sensor on {self._logs}")
        with self.stackstorm.log_sensor() as sensor:
            before = self.break_host()
            self.show_held("allocations before", before)
            self._react(sensor)
        self.show_held("allocations after", self.check_held(before))
        self.prove(before)

    def _react(self, sensor: sensors.RunningSensor) -> None:
        """What StackStorm's rules engine does: each trigger, each rule that it meets, the rule's action."""
        deadline, seen = time.monotonic() + PATIENCE, 0
        while time.monotonic() < deadline:
            if not sensor.is_running:
                raise LabError(f"the sensor has ended:\n{sensor.log()}")
            (instance, *_) = triggers.wait(self.stackstorm.datastore, timeout=TRIGGER_SECONDS, after=seen)
            seen = instance.id
            if instance.trigger == FAULT_TRIGGER:
                self._show_trigger(instance)
            if any(self._is_over(match, instance) for match in self.stackstorm.matches(instance)):
                return
        raise LabError(f"{HOST} is not recovered after {PATIENCE:.0f} s")

    def _show_trigger(self, instance: triggers.Instance) -> None:
        logged = datetime.strptime(instance.payload["time"], "%Y-%m-%d %H:%M:%S.%f").timestamp()
        self.story.head(f"{instance.trigger}, {instance.time - logged:.1f} s after nova-compute's line")
        for name, value in instance.payload.items():
            self.story.say(f"{name:<18} {value}")

    def _is_over(self, match: matching.Match, instance: triggers.Instance) -> bool:
        self.story.head(f"rule {match.rule} starts {match.action}")
        output = self.show_end(match.action, self.stackstorm.obey(match, instance, self.hear))
        if output.get("state") == "needs_approval" and self._automation == "ask":
            self._approve(output)
            return True
        return output.get("state") == "finished"

    def _approve(self, output: Mapping[str, Any]) -> None:
        """Type what it says."""
        self.story.head(output["next"])
        done = self.show_end("recover_host", self.stackstorm.type_words(output["next"], self.hear))
        if done.get("state") != "finished":
            raise LabError(f"the approved recovery ended with: {done.get('summary')}")


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.demos.by_event", description=__doc__)
    parser.add_argument("--automation", choices=("ask", "when_safe"), default="when_safe")
    parser.add_argument("--release", choices=RELEASES, default="26", help="of nova (default: %(default)s)")
    options = parser.parse_args()
    return perform(
        options.release,
        lambda lab, story: EventDemo(lab, options.automation, story).run(),
        f"automation: {options.automation}",
    )


if __name__ == "__main__":
    sys.exit(main())
