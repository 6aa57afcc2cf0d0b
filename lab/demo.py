"""``make demo``: a real OpenStack, a host broken the way clouds break it, and the pack's own workflow that recovers it.

Everything shown is what the services, nova-compute's log and the workflow's tasks said. Exit code 0 means that the
allocations are what the method promises and that a new server runs on the recovered host.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import faults
from lab.cloud import RELEASES, Lab
from lab.environments import InstallError, ensure
from lab.runner import client as runner
from lab.waiting import LabError, LogMark, wait_until

ROOT = Path(__file__).resolve().parents[1]
HOST = "compute-0"
SERVERS = ("web-1", "web-2", "db-1")
# nova 26 leaves live servers on the stale provider without anybody touching its database; the newest, an orphan.
FAULTS = {"26": faults.hostname_flip, "34": faults.reinstall}


class Story:
    """What a person sees: headings, lines, and the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def head(self, text: str) -> None:
        """A new chapter."""
        print(f"\n[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def say(self, text: str) -> None:
        """Lines of it, indented."""
        for line in text.splitlines() or [""]:
            print(f"    {line}".rstrip(), flush=True)


class Demo:
    """One run: break, look, recover, prove."""

    def __init__(self, lab: Lab, method: str, story: Story) -> None:
        self.lab, self.method, self.story = lab, method, story
        self.config = {
            "clouds_file": str(lab.clouds_yaml),
            "cloud": "lab",
            "restart_how": "command",
            "restart_where": "local",
            "restart_command": self._restart_command(),
            "periodic_wait": 30,
        }

    def _restart_command(self) -> list[str]:
        python = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "lab"]
        return [*python, "restart-compute", "--folder", str(self.lab.folder), "{host}"]

    def run(self) -> None:
        """The whole story. Raises LabError where the end is not what was promised."""
        where = HOST if self.lab.release == "26" else "compute-1"
        self.story.head(f"booting {len(SERVERS)} servers on {where}")
        self.lab.client.boot_many(SERVERS, where)
        self.story.head(f"breaking {HOST}: {FAULTS[self.lab.release].__doc__}")
        mark = self.lab.mark(HOST)
        fault = FAULTS[self.lab.release](self.lab, HOST)
        self._show_log(mark)
        self._show_that_it_is_broken()
        before = self._held(fault.stale_uuid)
        self._show_table("allocations before", before)
        self._recover()
        new = self.lab.client.provider(HOST)["uuid"]
        after = self._held(new)
        self._show_table("allocations after", after)
        self._check(before, after)
        self._await_periodic()
        self._check(before, self._held(new))
        self.story.head(f"booting a new server on {HOST}")
        self.story.say(f"{self.lab.client.boot('after', HOST)} is ACTIVE on {HOST}")

    def _show_log(self, mark: LogMark) -> None:
        self.story.head(f"what nova-compute logs on {HOST}")
        for line in mark.lines("Failed to create resource provider record", f"{faults.FAULT}: ")[:2]:
            self.story.say(line)

    def _show_that_it_is_broken(self) -> None:
        self.story.head(f"booting a server on {HOST} now")
        server = self.lab.client.boot("too-early", HOST, wait=False)
        ended = wait_until("the boot ends", lambda: self._ended(server), 60)
        self.story.say(f"{ended['status']}: {ended.get('fault', {}).get('message', '')}")
        self.lab.client.delete(server)

    def _ended(self, server: str) -> dict[str, Any] | None:
        seen = self.lab.client.server(server)
        return seen if seen["status"] in ("ERROR", "ACTIVE") else None

    def _held(self, provider: str) -> dict[str, dict[str, int]]:
        return self.lab.client.allocations_of_provider(provider)

    def _show_table(self, title: str, held: Mapping[str, Mapping[str, int]]) -> None:
        names = {server["id"]: server["name"] for server in self.lab.client.servers()}
        self.story.head(f"{title} (on the provider named {HOST}, {self.lab.client.provider(HOST)['uuid']})")
        for consumer, part in sorted(held.items(), key=lambda item: names.get(item[0], "~")):
            amounts = " ".join(f"{name}={amount}" for name, amount in sorted(part.items()))
            self.story.say(f"{consumer}  {names.get(consumer, '(no server)'):<12} {amounts}")
        if not held:
            self.story.say("none")

    def _recover(self) -> None:
        """As an operator would: recover_host, and where it asks for approval, again with the digest."""
        output = self._workflow({})
        if output["state"] == "needs_approval":
            self.story.say(f"it asks for approval; next: {output['next']}")
            output = self._workflow({"approve": output["digest"]})
        if output["state"] != "finished":
            raise LabError(f"recover_host ended with: {output['summary']}")

    def _workflow(self, more: Mapping[str, str]) -> Mapping[str, Any]:
        parameters = {"host": HOST, "method": self.method, **more}
        shown = " ".join(f"{name}={value}" for name, value in parameters.items())
        self.story.head(f"st2 run placement_recovery.recover_host {shown}")
        datastore = self.lab.folder / "datastore.sqlite"
        execution = runner.run(
            "placement_recovery.recover_host", parameters, config=self.config, datastore=datastore, on_event=self._event
        )
        output: Mapping[str, Any] = execution.output or {}
        self.story.head(f"recover_host {execution.status}")
        self.story.say(output.get("summary", "no summary"))
        if execution.status != "succeeded":
            raise LabError(f"recover_host {execution.status}: {output.get('summary')}")
        return output

    def _event(self, event: runner.Event) -> None:
        if event["event"] != "ended" or str(event.get("action")).startswith("core."):
            return
        said = ((event.get("result") or {}).get("result") or {}) if isinstance(event.get("result"), dict) else {}
        if isinstance(said, dict) and said.get("summary"):
            self.story.say(f"{event['path'][-1]:<27} {event['status']:<10} {said['summary']}")

    def _check(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        wanted = before if self.method == "preserve" else {}
        if dict(after) != dict(wanted):
            raise LabError(f"{HOST} shall be held by {wanted}, but is by {after}")

    def _await_periodic(self) -> None:
        self.story.head("waiting for one of nova-compute's periodics, which must leave it so")
        access = self.lab.mark("placement")
        provider = self.lab.client.provider(HOST)["uuid"]
        pattern = re.compile(rf"GET /resource_providers/{provider}/allocations")
        own = len(pattern.findall(access.text()))
        wait_until("nova-compute looks at its provider", lambda: len(pattern.findall(access.text())) > own, 60)
        self.story.say("it looked at its provider's allocations again")


def main() -> int:
    """Run the demo; what goes wrong is one line on stderr and the exit code 1."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.demo", description=__doc__)
    parser.add_argument("--method", choices=("preserve", "discard"), default="preserve")
    parser.add_argument("--release", choices=RELEASES, default="26", help="of nova (default: %(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    story = Story()
    try:
        story.head("installing what is not there yet (the first time this takes minutes)")
        for name in ("pack", "orquesta", f"nova-{options.release}"):
            story.say(f"{name}: {ensure(name)}")
        story.head(f"starting Keystone, Placement and nova {options.release} with two nova-compute")
        with Lab(options.release) as lab:
            Demo(lab, options.method, story).run()
            story.head("stopping the lab")
    except (LabError, InstallError, runner.Refused, runner.EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    story.head(f"done: {HOST} is recovered ({options.method})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
