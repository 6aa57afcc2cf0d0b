"""The ways from a recovery to Placement and nova-api, with a proxy on each that fails, or kills who asked."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import Any, Callable, Dict, Optional

from testkit.chaos.process import ANSWERS, NOTHING, SENT, Attempt, Blow, Ending
from testkit.cloud import Cloud
from testkit.waiting import wait_until


class Roads:
    """`with Roads(cloud) as roads:`; then `attempt` goes along them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._open = ExitStack()
        self._met = 0  # writes so far
        self._acts: Dict[int, Callable[[], object]] = {}
        self._attempt: Optional[Attempt] = None
        self._hits = 0

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
        return self._cloud.config(clouds_file=clouds, request_timeout=3, **overrides)

    def act_at(self, number: int, act: Callable[[], object]) -> None:
        """Somebody else acts when the n-th write from now on was sent, right before it is carried out."""
        self._acts[self._met + number] = act

    def attempt(
        self, config: Dict[str, Any], recovery_id: str, back: bool = False, blow: Blow = NOTHING
    ) -> Ending:
        """One attempt at a recovery, hit by the blow, to its end; then all is calm, and what was sent carried out."""
        self._hits = 0
        self._attempt = Attempt(config, recovery_id, back, blow)
        try:
            return self._attempt.end()
        finally:
            self._attempt = None
            self._acts.clear()
            self._placement.pass_all()
            self._nova.pass_all()
            wait_until(lambda: len(self._placement.writes()) + len(self._nova.writes()) == self._met)

    def _meet(self, proxy: Any, method: str, path: str) -> None:
        """A request is here, and goes on when this returns."""
        if method != "GET":
            self._met += 1
            self._acts.pop(self._met, lambda: None)()
        attempt = self._attempt
        if attempt is None or self._hits == len(attempt.note.places):
            return
        self._hits = len(attempt.note.places)
        if attempt.blow.what == SENT:
            os.kill(attempt.pid, signal.SIGKILL)
        elif attempt.blow.what in ANSWERS and not (attempt.blow.what == "409" and path.startswith("/traits/")):
            # A trait has no generation: there 409 means that it is in use.
            proxy.fail(attempt.blow.what, numbers=(1,))
