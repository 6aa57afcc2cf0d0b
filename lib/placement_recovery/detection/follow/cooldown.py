"""log_cooldown: at most one trigger per host and period, however often nova-compute repeats its line."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Mapping, Optional

MOST_HOSTS = 10_000


class Cooldown:
    """When each host last got a trigger. The clock is the system's, because the state outlives the process."""

    def __init__(
        self, seconds: float, state: Optional[Mapping[str, Any]] = None, now: Callable[[], float] = time.time
    ) -> None:
        self._seconds, self._now = seconds, now
        self._last: Dict[str, float] = {str(host): float(when) for host, when in (state or {}).items()}

    def allows(self, host: str) -> bool:
        """Whether a trigger may be sent: the cooldown has expired, or began in the future as the clock was set back."""
        return not 0 <= self._now() - self._last.get(host, -self._seconds) < self._seconds

    def begin(self, host: str) -> None:
        """Start the host's cooldown now."""
        self._last.pop(host, None)
        self._last[host] = self._now()
        if len(self._last) > MOST_HOSTS:
            del self._last[next(iter(self._last))]

    def state(self) -> Dict[str, float]:
        """Map each host whose cooldown has not expired to its start in seconds since the epoch."""
        self._last = {host: when for host, when in self._last.items() if not self.allows(host)}
        return dict(self._last)
