"""Time, so that tests can bring their own."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """The real one."""

    def now(self) -> str:
        """UTC in ISO 8601 to the second, such as 2026-11-22T10:00:00Z."""
        return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def seconds(self) -> float:
        """Seconds that only ever grow, for time-outs."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
