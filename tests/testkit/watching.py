"""Looks at allocations, and tries to boot, over and over while a host is recovered on a real nova-compute."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple

from lab.repeated import Repeated
from lab.waiting import LabError, wait_until
from testkit.operator import Parts, moved

SETTLED = ("ACTIVE", "ERROR")


class Gap(NamedTuple):
    """One look at a consumer that did not hold what it should."""

    consumer: str
    held: Parts
    seconds: float


class Watch(Repeated):
    """Each consumer holds at each look what it held `before`, on the stale root or on the new one.

    `moved_at` tells when each was first seen on the new root, `strangers` who else was seen there, and when.
    """

    def __init__(self, client: Any, before: Mapping[str, Parts], stale: str, new: str) -> None:
        super().__init__()
        self.samples, self.gaps = 0, []  # type: Tuple[int, List[Gap]]
        self.moved_at: Dict[str, float] = {}
        self.strangers: Dict[str, float] = {}
        self._client, self._before, self._after = client, dict(before), moved(before, stale, new)
        self._new = new

    def once(self) -> None:
        """One look at each consumer, and one at who holds the new root."""
        for consumer in self._before:
            self._look(consumer)
        answer = self._client.send("placement", "GET", f"/resource_providers/{self._new}/allocations")
        for consumer in answer.body["allocations"] if answer.status == 200 else ():
            if consumer not in self._before:
                self.strangers.setdefault(consumer, self.seconds())

    def _look(self, consumer: str) -> None:
        held = self._client.allocations(consumer)
        self.samples += 1
        if held == self._after[consumer]:
            self.moved_at.setdefault(consumer, self.seconds())
        elif held != self._before[consumer] or consumer in self.moved_at:
            self.gaps.append(Gap(consumer, held, self.seconds()))

    @property
    def all_moved_at(self) -> float:
        """When the last of them was seen on the new root; a LabError while one is not."""
        if set(self.moved_at) != set(self._before):
            raise LabError(f"{set(self._before) - set(self.moved_at)} were not seen on {self._new}")
        return max(self.moved_at.values())


class Boots(Repeated):
    """A server at a time is booted, pinned to the host, whatever becomes of it; `landed` and `failed` are UUIDs."""

    def __init__(self, client: Any, host: str) -> None:
        super().__init__()
        self.landed: List[str] = []
        self.failed: List[str] = []
        self._client, self._host = client, host

    def once(self) -> None:
        """Boot one and wait until it is settled."""
        server = self._client.boot("boot", self._host, wait=False)
        status = wait_until(f"server {server} is settled", lambda: self._settled(server), 120)
        (self.landed if status == "ACTIVE" else self.failed).append(server)

    def _settled(self, server: str) -> str:
        status = str(self._client.server(server)["status"])
        return status if status in SETTLED else ""

    def forget(self) -> None:
        """Delete them all; those that failed are on no host, and nothing waits for their end."""
        for server in self.failed:
            self._client.nova("DELETE", f"/servers/{server}")
        self._client.delete(*self.landed)
