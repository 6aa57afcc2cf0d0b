"""One trigger a host and while, however often nova-compute repeats its line."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Mapping, Optional

MOST_HOSTS = 10_000


class Cooldown:
    """Remembers when each host was told of. The clock is the machine's, for the memory outlives the process."""

    def __init__(
        self, seconds: float, told: Optional[Mapping[str, Any]] = None, now: Callable[[], float] = time.time
    ) -> None:
        self._seconds, self._now = seconds, now
        self._told: Dict[str, float] = {str(host): float(when) for host, when in (told or {}).items()}

    def allows(self, host: str) -> bool:
        """Whether the host may be told of: its while is over, or lies in the future because the clock was set back."""
        return not 0 <= self._now() - self._told.get(host, -self._seconds) < self._seconds

    def begin(self, host: str) -> None:
        """Remember that the host was told of just now."""
        self._told.pop(host, None)
        self._told[host] = self._now()
        if len(self._told) > MOST_HOSTS:
            del self._told[next(iter(self._told))]

    def state(self) -> Dict[str, float]:
        """Host to seconds since the epoch, of those whose while is not over."""
        self._told = {host: when for host, when in self._told.items() if not self.allows(host)}
        return dict(self._told)
