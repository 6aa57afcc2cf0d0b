"""The ways from a recovery to Placement and nova-api, with a proxy on each that fails, delays, or kills who asked."""

from __future__ import annotations

import os
import re
import signal
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Dict, Iterator, Optional

from placement_recovery.plan.method import TRANSPLANT
from testkit.chaos.judgement import look_for_gaps
from testkit.chaos.process import (
    ANSWERS,
    AT_END,
    AT_RESUME,
    LATE,
    LATE_WRITE_WAIT,
    NOTHING,
    ORPHANED,
    SENT,
    Attempt,
    Blow,
    Ending,
)
from testkit.chaos.world import World
from testkit.cloud import Cloud
from testkit.waiting import wait_until

# What Placement and Nova carry out whenever it comes, since it names no generation.
WITHOUT_GENERATION = re.compile(r"^/resource_providers/[^/]+$|^/traits/[^/]+$|/os-services/")


def _without_generation(late: Any) -> bool:
    return bool(WITHOUT_GENERATION.search(late.path))


def _see_nothing() -> None:
    """What a method that deletes first would show is no news."""


class Roads:
    """`with Roads(cloud) as roads:`; then `attempt` goes along them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._open = ExitStack()
        self._met = 0  # writes so far
        self._acts: Dict[int, Callable[[], object]] = {}
        self._attempt: Optional[Attempt] = None
        self._hits = 0
        self._until = ""  # when what is late is carried out
        self._due = False  # another attempt than that of the late write is under way
        self.carried_out = 0  # of what was late, during the last attempt
        self._watch: Callable[[], object] = _see_nothing  # called between two writes

    def __enter__(self) -> Roads:
        # Not at the top: it asks for a newer Python than the pack's tests without a lab.
        from lab.openstack.proxy import FaultProxy

        lab = self._cloud.lab
        self._placement = FaultProxy(lab.placement_url, lambda *what: self._meet(self._placement, *what))
        self._nova = FaultProxy(lab.nova_url, lambda *what: self._meet(self._nova, *what))
        self._open.enter_context(self._placement)
        self._open.enter_context(self._nova)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open.close()

    def config(self, **overrides: Any) -> Dict[str, Any]:
        """A configuration whose requests come along here."""
        clouds = self._cloud.clouds_yaml(placement_url=self._placement.url, compute_url=self._nova.url + "/v2.1")
        usual = {"request_timeout": 3, "late_write_wait": LATE_WRITE_WAIT, "refresh_wait": 0}
        return self._cloud.config(clouds_file=clouds, **{**usual, **overrides})

    def act_at(self, number: int, act: Callable[[], object]) -> None:
        """Somebody else acts when the n-th write from now on was sent, right before it is carried out."""
        self._acts[self._met + number] = act

    def attempt(
        self, config: Dict[str, Any], recovery_id: str, back: bool = False, blow: Blow = NOTHING
    ) -> Ending:
        """One attempt at a recovery, hit by the blow, to its end; then all is calm, and what was sent carried out.

        Only what is late is not yet: some of it until `settle`.
        """
        self._hits, self._due, self.carried_out = 0, True, 0
        self._attempt = Attempt(config, recovery_id, back, blow, self._carry_out_before_the_end)
        try:
            return self._attempt.end()
        finally:
            self._attempt = None
            self._acts.clear()
            self._placement.pass_all()
            self._nova.pass_all()
            wait_until(lambda: len(self._placement.writes()) + len(self._nova.writes()) == self._met)
            self._watch()

    @contextmanager
    def watched(self, world: World, method: str) -> Iterator[None]:
        """In the block a transplant's consumers are looked at between any two writes; in the end nothing is late."""
        if method == TRANSPLANT:
            self._watch = lambda: look_for_gaps(world)
        try:
            yield
        finally:
            self._watch = _see_nothing
            self._carry_out()

    def settle(self) -> None:
        """The recovery has ended: what is late is carried out now."""
        self._carry_out()
        self._watch()

    def _carry_out_before_the_end(self) -> None:
        if self._until == AT_END:
            self._carry_out(_without_generation)
        else:
            self._carry_out()

    def _carry_out(self, which: Callable[[Any], bool] = lambda _late: True) -> None:
        self.carried_out += len(self._placement.carry_out(which)) + len(self._nova.carry_out(which))

    def _meet(self, proxy: Any, method: str, path: str) -> None:
        """A request is here, and goes on when this returns."""
        if method != "GET":
            self._met += 1
            self._watch()
            if self._due and self._until == AT_RESUME:
                self._carry_out()
            self._acts.pop(self._met, lambda: None)()
        attempt = self._attempt
        if attempt is None or self._hits == len(attempt.note.places):
            return
        self._hits = len(attempt.note.places)
        if attempt.blow.what in (SENT, ORPHANED):
            os.kill(attempt.pid, signal.SIGKILL)
        if attempt.blow.what in (LATE, ORPHANED):
            self._until, self._due = attempt.blow.until, False
            proxy.fail(LATE, numbers=(1,))
        elif attempt.blow.what in ANSWERS and not (attempt.blow.what == "409" and path.startswith("/traits/")):
            # A trait has no generation: there 409 means that it is in use.
            proxy.fail(attempt.blow.what, numbers=(1,))
