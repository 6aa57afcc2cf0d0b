"""Time, so that tests can bring their own."""

from __future__ import annotations

import time
from datetime import datetime, timezone

# UTC in ISO 8601 to the second, such as 2026-11-22T10:00:00Z.
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Clock:
    """The real one."""

    def now(self) -> str:
        """The time of day, in TIME_FORMAT."""
        return datetime.now(timezone.utc).strftime(TIME_FORMAT)

    def seconds(self) -> float:
        """Seconds that only ever grow, for time-outs."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
