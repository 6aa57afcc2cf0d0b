"""What was written to a service, from the request log of the service itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, NamedTuple

from testkit.api import SEEDING

LOGGED = r'"(POST|PUT|DELETE|PATCH) (\S+)" status: (\d+)'


class Write(NamedTuple):
    """A request that is no GET, as the service logged it."""

    method: str
    path: str
    status: int


class RequestLog:
    """The log of Placement or nova-api; a line is in it before its answer is sent."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def mark(self) -> int:
        """The place that the log has reached."""
        return self._file.stat().st_size

    def writes_since(self, mark: int) -> List[Write]:
        """What was written after the mark by whomever but the tests' own seeding and the stand-in of nova-compute."""
        with self._file.open("rb") as log:
            log.seek(mark)
            lines = log.read().decode(errors="replace").splitlines()
        found = (re.search(LOGGED, line) for line in lines if SEEDING not in line)
        return [Write(match[1], match[2], int(match[3])) for match in found if match]
