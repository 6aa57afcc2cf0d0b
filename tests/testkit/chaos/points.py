"""Each point at which a recovery can be hit, and the story of one that is hit there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator

from placement_recovery.plan.method import TRANSPLANT
from placement_recovery.records.record import BACK, OPEN
from placement_recovery.recovery.context import Context
from testkit.chaos.judgement import check
from testkit.chaos.process import (
    AFTER,
    ANSWERS,
    AT_PAUSE,
    BEFORE,
    DONE,
    LATE,
    MOMENTS,
    ORPHANED,
    READ,
    RECORD,
    SENT,
    WRITE,
    Blow,
)
from testkit.chaos.roads import Roads
from testkit.chaos.world import World
from testkit.driving import begin, open_hasty

RESUMED, ROLLED_BACK, TOO_LATE = "resumed", "rolled back", "rolled back too late"
ENDINGS = (RESUMED, ROLLED_BACK, TOO_LATE)

# No recovery of the mixed world has more of them.
MOST = {WRITE: 20, RECORD: 35, READ: 160}


@dataclass(frozen=True)
class Point:
    """A blow, and how the recovery is ended then.

    One that kills, or delays a write, comes twice, if the second process gets there.
    """

    blow: Blow
    method: str
    ending: str

    def __str__(self) -> str:
        return f"{self.method}: {self.blow}, {self.ending}"

    @property
    def kind(self) -> Point:
        """All but the number."""
        return replace(self, blow=replace(self.blow, number=0))


def all_points(method: str) -> Iterator[Point]:
    """By kind, and in the order of their numbers."""
    deaths = [Blow(what, WRITE) for what in (BEFORE, SENT, AFTER)] + [Blow(BEFORE, RECORD), Blow(BEFORE, READ)]
    late = [*(Blow(LATE, until=until) for until in MOMENTS), Blow(ORPHANED, until=AT_PAUSE)]
    kinds = [*itertools.product([*deaths, *(late if method == TRANSPLANT else [])], ENDINGS)]
    kinds += [(Blow(what, at), RESUMED) for what, at in itertools.product(ANSWERS, (WRITE, READ))]
    for blow, ending in kinds:
        yield from (Point(replace(blow, number=number), method, ending) for number in range(1, MOST[blow.at] + 1))


def waits(method: str, seconds: int) -> Dict[str, int]:
    """The options of how long a recovery waits for nova-compute."""
    names = ("acceptance_wait",) if method == TRANSPLANT else ("provider_wait", "periodic_wait")
    return dict.fromkeys(names, seconds)


def survive(cloud: Any, roads: Roads, point: Point) -> bool:
    """A recovery that is hit at the point, to its end; raises AssertionError where anything was lost.

    False where it never came to the point.
    """
    world = World.mixed(cloud, point.method)
    away, back = point.ending == ROLLED_BACK, point.ending != RESUMED
    config = roads.config(**waits(point.method, 4 if away else 60))
    context = open_hasty(config)
    recovery_id = begin(context, world.stale.host, point.method)
    # nova-compute takes its new provider at once, or never: only then there is a way back from everywhere.
    with roads.watched(world, point.method), cloud.nova_compute(world.stale.host, interval=0.3, never=away):
        hit = roads.attempt(config, recovery_id, False, point.blow).places
        if hit and point.blow.what not in ANSWERS:
            roads.attempt(config, recovery_id, back, point.blow)
        finish(roads, context, config, recovery_id, back)
        roads.settle()
        check(world, context, recovery_id)
    return bool(hit)


def finish(roads: Roads, context: Context, config: Any, recovery_id: str, back: bool) -> None:
    """Without a blow it comes to its end: back where that was asked for and can be, forward otherwise.

    Once more where a late write is carried out in its very last moment: it sees that, and says so.
    """
    while context.journal(recovery_id).progress.state == OPEN:
        ended = roads.attempt(config, recovery_id, back)
        turned = back and context.journal(recovery_id).progress.direction != BACK
        assert ended.how == DONE or turned or roads.carried_out, "the last attempt failed; see the output"
        back = back and not turned
