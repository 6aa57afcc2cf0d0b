"""What the demos share: the lab on which they play, the host that breaks there, and how it is shown."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from lab.environments import InstallError, ensure
from lab.openstack import faults
from lab.openstack.cloud import Lab
from lab.openstack.control import Resources
from lab.stackstorm import runner
from lab.stackstorm.installation import StackStorm
from lab.waiting import LabError, wait_until

HOST = "compute-0"
SERVERS = ("web-1", "web-2", "db-1")
# nova 26 leaves live servers on the stale provider without anybody touching its database; later ones, an orphan.
FAULTS = {"26": faults.hostname_flip}

Held = dict[str, dict[str, int]]


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


class Scene:
    """A host that is broken and recovered; what it shows is what the services, their logs and the workflows say."""

    def __init__(self, lab: Lab, story: Story, **options: Any) -> None:
        """``options`` are those of the pack's configuration."""
        self.lab, self.story = lab, story
        self.stackstorm = StackStorm(lab, lab.folder / "datastore.sqlite").configured(**options)

    def grow_child(self) -> None:
        """The host has a GPU, which nova-compute reports as a child of its provider, and a server that holds a part."""
        self.story.head(f"a GPU for {HOST}, and a server that uses it")
        self.lab.report_resources(HOST, Resources(children={"pgpu0": {"VGPU": 4}}))
        self.lab.wait_for_periodics(HOST)
        self.lab.client.boot("gpu-1", HOST, flavor="vgpu")
        self.show_children()

    def show_children(self) -> None:
        """What is below the provider of the host's name, and what of it is held."""
        client, root = self.lab.client, self._named()
        listed = client.placement("GET", f"/resource_providers?in_tree={root}")["resource_providers"]
        for one in (child for child in listed if child["uuid"] != root):
            held = client.allocations_of_provider(one["uuid"])
            self.story.say(f"child {one['name']} ({one['uuid']}) below {root}: {len(held)} consumer(s)")

    def boot_servers(self) -> None:
        """On the host, where its servers survive the release's fault; else on another one."""
        where = HOST if self.lab.release == "26" else "compute-1"
        self.story.head(f"booting {len(SERVERS)} servers on {where}")
        self.lab.client.boot_many(SERVERS, where)

    def break_host(self) -> Held:
        """Break it, show what nova-compute logs, and give what is held on the stale provider."""
        break_it = FAULTS.get(self.lab.release, faults.reinstall)
        self.story.head(f"breaking {HOST}: {break_it.__doc__}")
        mark = self.lab.mark(HOST)
        fault = break_it(self.lab, HOST)
        self.story.head(f"what nova-compute logs on {HOST}")
        for line in mark.lines("Failed to create resource provider record", f"{faults.FAULT}: ")[:2]:
            self.story.say(line)
        return self.held(fault.stale_uuid)

    def held(self, provider: str = "") -> Held:
        """What is held on a provider, by default the one that bears the host's name now."""
        return self.lab.client.allocations_of_provider(provider or self._named())

    def show_held(self, title: str, held: Mapping[str, Mapping[str, int]]) -> None:
        """A table of it."""
        names = {server["id"]: server["name"] for server in self.lab.client.servers()}
        self.story.head(f"{title} (on the provider named {HOST}, {self._named()})")
        for consumer, part in sorted(held.items(), key=lambda item: names.get(item[0], "~")):
            amounts = " ".join(f"{name}={amount}" for name, amount in sorted(part.items()))
            self.story.say(f"{consumer}  {names.get(consumer, '(no server)'):<12} {amounts}")
        if not held:
            self.story.say("none")

    def check_held(self, wanted: Held) -> Held:
        """LabError unless exactly this is held on the host's provider."""
        held = self.held()
        if held != wanted:
            raise LabError(f"{HOST} shall be held by {wanted}, but is by {held}")
        return held

    def show_end(self, what: str, execution: runner.Execution) -> dict[str, Any]:
        """How a workflow ended; gives its output."""
        output: dict[str, Any] = execution.output or {}
        self.story.head(f"{what} {execution.status}: {output.get('state')}")
        self.story.say(output.get("summary", "no summary"))
        return output

    def hear(self, event: runner.Event) -> None:
        """Show each task's end as it comes."""
        if event["event"] != "ended" or str(event.get("action")).startswith("core."):
            return
        said = ((event.get("result") or {}).get("result") or {}) if isinstance(event.get("result"), dict) else {}
        if isinstance(said, dict) and said.get("summary"):
            self.story.say(f"{event['path'][-1]:<27} {event['status']:<10} {said['summary']}")

    def prove(self, wanted: Held) -> None:
        """One of nova-compute's periodics leaves the allocations so, and a new server runs on the host."""
        self._await_periodic()
        self.check_held(wanted)
        self.story.head(f"booting a new server on {HOST}")
        self.story.say(f"{self.lab.client.boot('after', HOST)} is ACTIVE on {HOST}")

    def _await_periodic(self) -> None:
        self.story.head("waiting for one of nova-compute's periodics, which must leave it so")
        access = self.lab.mark("placement")
        pattern = re.compile(rf"GET /resource_providers/{self._named()}/allocations")
        own = len(pattern.findall(access.text()))
        wait_until("nova-compute looks at its provider", lambda: len(pattern.findall(access.text())) > own, 60)
        self.story.say("it looked at its provider's allocations again")

    def _named(self) -> str:
        uuid: str = self.lab.client.provider(HOST)["uuid"]
        return uuid


def perform(release: str, play: Callable[[Lab, Story], None], end: str) -> int:
    """Play on a new lab; what goes wrong is one line on stderr and the exit code 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    story = Story()
    try:
        story.head("installing what is not there yet (the first time this takes minutes)")
        for name in ("pack", "orquesta", f"nova-{release}"):
            story.say(f"{name}: {ensure(name)}")
        story.head(f"starting Keystone, Placement and nova {release} with two nova-compute")
        with Lab(release) as lab:
            play(lab, story)
            story.head("stopping the lab")
    except (LabError, TimeoutError, InstallError, runner.Refused, runner.EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    story.head(f"done: {HOST} is recovered ({end})")
    return 0
