"""Looks at what servers hold, over and over, while their host is recovered."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lab.openstack.admin import AdminClient
from lab.repeated import Repeated


class Watcher(Repeated):
    """``looks`` at the consumers, and how many were ``without`` any allocation; ``longest`` such time in seconds."""

    def __init__(self, client: AdminClient, consumers: Iterable[str]) -> None:
        super().__init__()
        self.looks = self.without = 0
        self.longest = 0.0
        self._client, self._consumers = client, tuple(consumers)
        self._since: dict[str, float] = {}

    def __str__(self) -> str:
        said = f"{self.without} of {self.looks} looks found a server without its allocation"
        return said + (f", one for {self.longest:.1f} s" if self.without else "")

    def once(self) -> None:
        """One look at each."""
        for consumer in self._consumers:
            self._look(consumer)

    def _look(self, consumer: str) -> None:
        held = self._client.allocations(consumer)
        self.looks += 1
        if held:
            self._since.pop(consumer, None)
            return
        self.without += 1
        began = self._since.setdefault(consumer, time.monotonic())
        self.longest = max(self.longest, time.monotonic() - began)
