"""What was tried, and what went wrong: the points of a fault go on past one that fails."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Callable, List, Optional

# `make chaos` says how many points are left out, how many topologies are tried, and which file is written.
STRIDE = int(os.environ.get("PLACEMENT_RECOVERY_CHAOS_STRIDE", "700"))
EXAMPLES = int(os.environ.get("PLACEMENT_RECOVERY_CHAOS_EXAMPLES", "5"))
FILE = os.environ.get("PLACEMENT_RECOVERY_CHAOS_FILE")
# The tests take a share of the marches, `make chaos` all of them.
ALL = FILE is not None
# Without a seed the tests try the same on every run.
SEED = int(os.environ.get("PLACEMENT_RECOVERY_CHAOS_SEED", "0"))

POINT, TOPOLOGY = "fault points", "topologies"


class Tally:
    """Writes one line for each point and topology, where a file is asked for; keeps the failed points."""

    def __init__(self, file: Optional[str] = FILE) -> None:
        self._file = Path(file) if file else None
        self.failed: List[str] = []

    def point(self, name: object, story: Callable[[], bool]) -> bool:
        """One fault point's story: a failure is kept, and the next one is tried. False where it was no point."""
        problem, hit = "", True
        try:
            hit = story()
        except AssertionError as error:
            problem = f"{name}: {error}"
            self.failed.append(problem)
        if hit:
            self._write(POINT, problem)
        return hit

    def topology(self, sound: bool) -> None:
        """One topology with all that happened to it."""
        self._write(TOPOLOGY, "" if sound else "something was lost, or did not end")

    def _write(self, kind: str, problem: str) -> None:
        if self._file:
            with self._file.open("a") as lines:
                lines.write(json.dumps([kind, problem]) + "\n")


TALLY = Tally()
