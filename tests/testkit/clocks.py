"""Clocks that tests move by hand."""

from __future__ import annotations

import time

from placement_recovery.clock import Clock

START = 1_800_000_000.0


class HandClock(Clock):
    """Moves only when somebody sleeps, or moves it; `sleeping` is called in each sleep."""

    def __init__(self, sleeping=lambda: None):
        self.at = START
        self.sleeping = sleeping

    def now(self):
        """As the real one."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at))

    def sleep(self, seconds):
        """No time passes but on this clock."""
        self.at += seconds
        self.sleeping()
