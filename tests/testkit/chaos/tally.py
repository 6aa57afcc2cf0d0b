"""What was asked for, what was tried, and what went wrong: the run goes on past a point or a topology that fails."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

One = TypeVar("One")

# `make chaos` says how many points are left out, how many topologies are tried, and which file is written.
STRIDE = int(os.environ.get("PLACEMENT_RECOVERY_CHAOS_STRIDE", "700"))
EXAMPLES = int(os.environ.get("PLACEMENT_RECOVERY_CHAOS_EXAMPLES", "6"))
FILE = os.environ.get("PLACEMENT_RECOVERY_CHAOS_FILE")
# The tests take a share of the marches, `make chaos` all of them.
ALL = FILE is not None
# Without a seed the tests try the same on every run.
SEED = int(os.environ.get("PLACEMENT_RECOVERY_CHAOS_SEED", "0"))
ALL_METHODS = ("preserve", "discard", "transplant")
_METHOD = os.environ.get("PLACEMENT_RECOVERY_CHAOS_METHOD", "all")
METHODS = ALL_METHODS if _METHOD == "all" else (_METHOD,)

POINTS, MARCHES, TOPOLOGIES = "fault points", "marches", "topologies"
KINDS = (POINTS, MARCHES, TOPOLOGIES)


class Shard(NamedTuple):
    """The k-th of n runs that try everything together."""

    number: int = 1
    of: int = 1

    @classmethod
    def from_text(cls, text: str) -> Shard:
        """From k/n. Raises ValueError."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.number <= shard.of:
            raise ValueError(f"a shard is k/n with k from 1 to n, not {text!r}")
        return shard

    def share(self, everything: Sequence[One]) -> Tuple[One, ...]:
        """Every n-th, from the k-th on."""
        return tuple(everything[self.number - 1 :: self.of])

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


SHARD = Shard.from_text(os.environ.get("PLACEMENT_RECOVERY_CHAOS_SHARD", "1/1"))

ASKED, TRIED, BEYOND, FAILED = "asked", "tried", "beyond", "failed"


class Tally:
    """Writes a line for each thing that is asked for, tried, or found to be beyond the end, where a file is wanted.

    `failed` keeps what went wrong.
    """

    def __init__(self, file: Optional[str] = FILE) -> None:
        self._file = Path(file) if file else None
        self.failed: List[str] = []

    def ask(self, kind: str, number: int) -> None:
        """So many are to be tried."""
        self._write(kind, ASKED, number)

    def story(self, kind: str, name: object, story: Callable[[], object]) -> bool:
        """One story: a failure is kept, and the next one is tried. False where the story came to no hit."""
        try:
            hit = bool(story())
        except AssertionError as error:
            self.fail(kind, f"{name}: {error}")
            return True
        self._write(kind, TRIED if hit else BEYOND)
        return hit

    def beyond(self, kind: str) -> None:
        """One that is not tried, since a smaller number of its kind was beyond the end."""
        self._write(kind, BEYOND)

    def tried(self, kind: str) -> None:
        """One that ended well."""
        self._write(kind, TRIED)

    def fail(self, kind: str, problem: str) -> None:
        """One that did not."""
        self.failed.append(problem)
        self._write(kind, TRIED)
        self._write(kind, FAILED, problem)

    def _write(self, kind: str, what: str, value: Any = 1) -> None:
        if self._file:
            with self._file.open("a") as lines:
                lines.write(json.dumps([kind, what, value]) + "\n")


TALLY = Tally()


class Result(NamedTuple):
    """What a kind came to."""

    asked: int = 0
    tried: int = 0
    beyond: int = 0
    problems: Tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all was tried that could be. Of topologies there may be more: not each that is drawn counts."""
        return self.tried + self.beyond >= self.asked

    def __str__(self) -> str:
        beyond = f", {self.beyond} beyond the last request" if self.beyond else ""
        return f"{self.tried} of {self.asked} ({len(self.problems)} failed{beyond})"


def result(kind: str, lines: Sequence[Any]) -> Result:
    """Count one kind's lines."""
    own = [(what, value) for name, what, value in lines if name == kind]
    asked, tried, beyond = (sum(value for what, value in own if what == one) for one in (ASKED, TRIED, BEYOND))
    return Result(asked, tried, beyond, tuple(value for what, value in own if what == FAILED))
