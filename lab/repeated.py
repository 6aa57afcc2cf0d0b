"""Something that is done over and over while something else happens."""

from __future__ import annotations

import threading
import time
from typing import Any


class Repeated:
    """What a thread does over and over, within ``with``; what it raises is raised at the end."""

    def __init__(self) -> None:
        self.began, self.lasted = time.monotonic(), 0.0
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stop.set()
        self._thread.join()
        self.lasted = self.seconds()
        if self._failures and exception[0] is None:
            raise self._failures[0]

    def once(self) -> None:
        """What is done over and over."""
        raise NotImplementedError

    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def _repeat(self) -> None:
        try:
            while not self._stop.is_set():
                self.once()
        except BaseException as error:
            self._failures.append(error)
