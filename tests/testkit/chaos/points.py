"""Each point at which a recovery can be hit, and the story of one that is hit there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, Iterator

from placement_recovery.records.record import OPEN
from testkit.chaos.process import AFTER, ANSWERS, BEFORE, DONE, FAILED, READ, RECORD, SENT, WRITE, Blow
from testkit.chaos.roads import Roads
from testkit.chaos.world import World
from testkit.driving import begin, open_hasty

METHODS = ("preserve", "discard")
RESUMED, ROLLED_BACK, TOO_LATE = "resumed", "rolled back", "rolled back too late"
ENDINGS = (RESUMED, ROLLED_BACK, TOO_LATE)

# No recovery of the mixed world has more of them.
MOST = {WRITE: 20, RECORD: 35, READ: 160}


@dataclass(frozen=True)
class Point:
    """A blow, and how the recovery is ended then. One that kills comes twice, if the second process gets there."""

    blow: Blow
    method: str
    ending: str

    def __str__(self) -> str:
        return f"{self.method}: {self.blow}, {self.ending}"

    @property
    def kind(self) -> Point:
        """All but the number."""
        return replace(self, blow=replace(self.blow, number=0))


def all_points() -> Iterator[Point]:
    """By kind, and in the order of their numbers."""
    kinds = [(what, WRITE) for what in (BEFORE, SENT, AFTER)] + [(BEFORE, RECORD), (BEFORE, READ)]
    for (what, at), method, ending in itertools.product(kinds, METHODS, ENDINGS):
        yield from (Point(Blow(what, at, number), method, ending) for number in range(1, MOST[at] + 1))
    for what, at, method in itertools.product(ANSWERS, (WRITE, READ), METHODS):
        yield from (Point(Blow(what, at, number), method, RESUMED) for number in range(1, MOST[at] + 1))


def survive(cloud: Any, roads: Roads, point: Point) -> bool:
    """A recovery that is hit at the point, to its end; raises AssertionError where anything was lost.

    False where it never came to the point.
    """
    world = World.mixed(cloud, point.method)
    away, back = point.ending == ROLLED_BACK, point.ending != RESUMED
    seconds = 4 if away else 60
    config = roads.config(provider_wait=seconds, periodic_wait=seconds)
    context = open_hasty(config)
    recovery_id = begin(context, world.stale.host, point.method)
    # The new provider is made at once, or never: only then there is a way back from everywhere.
    with cloud.nova_compute(world.stale.host, interval=0.1, never=away):
        hit = roads.attempt(config, recovery_id, False, point.blow).places
        if hit and point.blow.what not in ANSWERS:
            roads.attempt(config, recovery_id, back, point.blow)
        if context.journal(recovery_id).progress.state == OPEN:
            finish(roads, config, recovery_id, back)
    problems = world.problems(context, recovery_id)
    assert not problems, problems
    return bool(hit)


def finish(roads: Roads, config: Any, recovery_id: str, back: bool) -> None:
    """Without a blow it comes to its end: back where that was asked for and can be, forward otherwise."""
    ended = roads.attempt(config, recovery_id, back)
    if back and ended.how == FAILED:
        ended = roads.attempt(config, recovery_id)
    assert ended.how == DONE, "the last attempt failed; see the output"
