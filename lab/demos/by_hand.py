"""``make demo``: a real OpenStack, a host broken the way clouds break it, and the pack's own workflow that recovers it.

Everything shown is what the services, nova-compute's log and the workflow's tasks said. Exit code 0 means that the
allocations are what the method promises and that a new server runs on the recovered host.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from lab.demos.stage import HOST, Scene, Story, perform
from lab.demos.watcher import Watcher
from lab.openstack.cloud import RELEASES, Lab
from lab.stackstorm.installation import PACK
from lab.waiting import LabError, wait_until

METHODS = ("transplant", "preserve", "discard")
DEFAULT = METHODS[0]


class Demo(Scene):
    """One run: break, look, recover, prove."""

    def __init__(self, lab: Lab, method: str, story: Story) -> None:
        super().__init__(lab, story, periodic_wait=30)
        self.method = method

    def run(self) -> None:
        """The whole story. Raises LabError where the end is not what was promised."""
        if self.method == DEFAULT:
            self.grow_child()
        self.boot_servers()
        before = self.break_host()
        self._show_that_it_is_broken()
        self.show_held("allocations before", before)
        with Watcher(self.lab.client, before) as watcher:
            self._recover()
        if self.method != "discard":
            self.story.say(str(watcher))
        self.show_children()
        wanted = {} if self.method == "discard" else before
        self.show_held("allocations after", self.check_held(wanted))
        if self.method == "discard":
            self._delete_what_is_given_up()
        self.prove(wanted)

    def _delete_what_is_given_up(self) -> None:
        """The service stays disabled while servers run on the host without allocations."""
        client = self.lab.client
        self.story.head(f"deleting the servers that run on {HOST} without allocations, and enabling its service")
        client.delete(*(one["id"] for one in client.servers(HOST)))
        client.set_service(HOST, status="enabled")

    def _show_that_it_is_broken(self) -> None:
        self.story.head(f"booting a server on {HOST} now")
        server = self.lab.client.boot("too-early", HOST, wait=False)
        ended = wait_until("the boot ends", lambda: self._ended(server), 60)
        self.story.say(f"{ended['status']}: {ended.get('fault', {}).get('message', '')}")
        self.lab.client.delete(server)

    def _ended(self, server: str) -> dict[str, Any] | None:
        seen = self.lab.client.server(server)
        return seen if seen["status"] in ("ERROR", "ACTIVE") else None

    def _recover(self) -> None:
        """As an operator would: recover_host, and where it asks for approval, what it says."""
        chosen = "" if self.method == DEFAULT else f" method={self.method}"
        output = self._type(f"st2 run {PACK}.recover_host host={HOST}{chosen}")
        if output.get("state") == "needs_approval":
            output = self._type(output["next"])
        if output.get("state") != "finished":
            raise LabError(f"recover_host ended with: {output.get('summary')}")

    def _type(self, words: str) -> dict[str, Any]:
        self.story.head(words)
        return self.show_end("recover_host", self.stackstorm.type_words(words, self.hear))


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.demos.by_hand", description=__doc__)
    parser.add_argument("--method", choices=METHODS, default=DEFAULT)
    parser.add_argument("--release", choices=RELEASES, default="26", help="of nova (default: %(default)s)")
    options = parser.parse_args()
    return perform(options.release, lambda lab, story: Demo(lab, options.method, story).run(), options.method)


if __name__ == "__main__":
    sys.exit(main())
