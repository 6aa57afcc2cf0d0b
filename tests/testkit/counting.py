"""Counts what the library asks of Placement."""

from __future__ import annotations

import threading
import time
from collections import Counter

from placement_recovery.clock import Clock
from testkit.driving import Meddler

OF_PLACEMENT = ("/resource_providers", "/allocations", "/traits", "/usages")


class PlacementRequests(Meddler):
    """Counts the requests to Placement, from any thread, by method and kind of path; it meddles as any other too."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def tell(self, when: str, method: str, path: str) -> None:
        """A request is about to be sent, or was answered."""
        if when == "before" and path.startswith(OF_PLACEMENT):
            with self._lock:
                self.counts[f"{method} {_kind(path)}"] += 1
        super().tell(when, method, path)


class CountingClock(Clock):
    """Counts how often a step waited; each time is followed by one request that asks the same again."""

    def __init__(self) -> None:
        self.waits = 0

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.waits += 1
        time.sleep(seconds)


def _kind(path: str) -> str:
    """The path without UUIDs and names."""
    parts = path.strip("/").split("/")
    return "/" + "/".join("..." if number == 1 else part for number, part in enumerate(parts))
