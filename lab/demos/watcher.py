"""Looks at what servers hold, over and over, while their host is recovered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from lab.openstack.admin import AdminClient
from lab.waiting import LabError


class Watcher:
    """``with Watcher(client, consumers) as watcher:``; ``looks`` and those of them that found nothing, ``without``.

    ``longest`` is for how many seconds one of them was seen without.
    """

    def __init__(self, client: AdminClient, consumers: Iterable[str]) -> None:
        self.looks = self.without = 0
        self.longest = 0.0
        self._client, self._consumers = client, tuple(consumers)
        self._since: dict[str, float] = {}
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        if self._failure and kind is None:
            raise LabError(f"the watcher failed: {self._failure}") from self._failure

    def __str__(self) -> str:
        said = f"{self.without} of {self.looks} looks found a server without its allocation"
        return said + (f", one for {self.longest:.1f} s" if self.without else "")

    def _watch(self) -> None:
        try:
            while not self._over.is_set():
                for consumer in self._consumers:
                    self._look(consumer)
        except BaseException as failure:  # raised again where the with block ends
            self._failure = failure

    def _look(self, consumer: str) -> None:
        held = self._client.allocations(consumer)
        self.looks += 1
        if held:
            self._since.pop(consumer, None)
            return
        self.without += 1
        began = self._since.setdefault(consumer, time.monotonic())
        self.longest = max(self.longest, time.monotonic() - began)
