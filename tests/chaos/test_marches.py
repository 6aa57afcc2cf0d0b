"""One recovery is hit again and again, at each place once: at every write of every step, and nothing is lost.

Each attempt begins where another one was cut off, so that most of them are resumes of resumes. A share of the marches
here; `make chaos` goes through all of them, those before every read too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, NamedTuple, Set

import pytest

from placement_recovery.plan.method import DISCARD, PRESERVE, TRANSPLANT
from placement_recovery.records.record import BACK, FINISHED, OPEN, ROLLED_BACK
from testkit.chaos.judgement import check
from testkit.chaos.points import waits
from testkit.chaos.process import (
    AFTER,
    ANSWERS,
    AT_PAUSE,
    AT_RESUME,
    BEFORE,
    KILLED,
    LATE,
    ORPHANED,
    READ,
    RECORD,
    SENT,
    WRITE,
    Blow,
)
from testkit.chaos.tally import ALL, MARCHES, METHODS, SHARD
from testkit.chaos.world import World
from testkit.driving import begin, go_on, open_hasty
from testkit.sampling import sampled


class March(NamedTuple):
    """What hits it, and whether it is the way back that is hit."""

    method: str
    blow: Blow
    back: bool = False

    def __str__(self) -> str:
        return f"{self.method}, {self.blow}" + (", back" if self.back else "")


DEATHS = (Blow(BEFORE), Blow(SENT), Blow(AFTER), Blow(BEFORE, RECORD))
DELAYS = (*(Blow(LATE, until=until) for until in (AT_RESUME, AT_PAUSE)), Blow(ORPHANED, until=AT_PAUSE))
SOME = (
    March(TRANSPLANT, Blow(SENT)), March(PRESERVE, Blow("409")), March(TRANSPLANT, DELAYS[0], back=True),
    March(PRESERVE, Blow(SENT)), March(PRESERVE, Blow(BEFORE, RECORD)), March(PRESERVE, Blow(SENT), back=True),
)
BEGIN = {
    "lock_provider: PUT /traits/*",
    "lock_provider: PUT /resource_providers/*/traits",
    "disable_compute_service: PUT /os-services/*",
}
# The lock is on the stale root alone, and gone with it at the end.
CLOSE = {
    "close_recovery: DELETE /traits/*",
    "close_recovery: PUT /os-services/*",
}
DELETE_FIRST = {
    *BEGIN,
    "delete_allocations: POST /resource_providers",
    "delete_allocations: POST /allocations",
    "delete_resource_provider: DELETE /resource_providers/*",
    *CLOSE,
}
# They are answered with a conflict, which proves the fault; once the name is free nova-compute may be faster.
PROOFS = {"replace_resource_provider: POST /resource_providers", "delete_allocations: POST /resource_providers"}
EVERY_WRITE = {
    DISCARD: DELETE_FIRST,
    PRESERVE: {*DELETE_FIRST, "set_allocations: POST /allocations"},
    TRANSPLANT: {
        *BEGIN,
        "replace_resource_provider: POST /resource_providers",
        "replace_resource_provider: PUT /resource_providers/*",
        "copy_provider_settings: PUT /resource_providers/*/traits",
        "copy_provider_settings: PUT /resource_providers/*/aggregates",
        "move_allocations: POST /allocations",
        "delete_resource_provider: DELETE /resource_providers/*",
        *CLOSE,
    },
}

LAST_TO_TAKE_BACK = {
    DISCARD: "delete_resource_provider", PRESERVE: "delete_resource_provider", TRANSPLANT: "move_allocations",
}


def all_marches(method: str) -> Iterator[March]:
    """Forward by all that can hit it, and back by all that kills or delays."""
    answers = tuple(map(Blow, ANSWERS)) if method != DISCARD else ()
    delays = DELAYS if method == TRANSPLANT else ()
    yield from (March(method, blow) for blow in (*DEATHS, Blow(BEFORE, READ), *answers, *delays))
    yield from (March(method, blow, back=True) for blow in (*DEATHS, *delays))


CHOSEN = SHARD.share([one for method in METHODS for one in all_marches(method)]) if ALL else sampled(SOME, 3)


@pytest.mark.parametrize("march", CHOSEN, ids=str)
def test_hit_at_every_place(cloud, roads, tally, march):
    """Before a request is sent, before and after its answer, before the record, and by each wrong answer."""
    tally.ask(MARCHES, 1)
    tally.story(MARCHES, march, lambda: go_back(cloud, roads, march) if march.back else go(cloud, roads, march))


def go(cloud: Any, roads: Any, march: March) -> bool:
    """Forward, with nova-compute at work."""
    world = World.mixed(cloud, march.method)
    with roads.watched(world, march.method), cloud.nova_compute(world.stale.host, interval=0.3):
        places = until_finished(world, roads, march)
    if march.blow.at == WRITE:
        unanswered = PROOFS if march.blow.what == AFTER else set()
        assert places >= EVERY_WRITE[march.method] - unanswered, sorted(places)
    else:
        assert len(places) > 20, sorted(places)
    return True


def until_finished(world: World, roads: Any, march: March) -> Set[str]:
    """Hit one recovery after another of this world, each place once, until one comes to its end; the places."""
    config = roads.config(**waits(march.method, 60))
    context, recovery_id, places = open_hasty(config), "", set()  # type: ignore[var-annotated]
    while True:
        recovery_id = recovery_id or begin(context, world.stale.host, march.method)
        met = roads.attempt(config, recovery_id, False, replace(march.blow, spared=frozenset(places))).places
        state = context.journal(recovery_id).progress.state
        assert met or roads.carried_out or state == FINISHED, "nothing hit it, and still it did not end; see the output"
        places |= met
        if state != OPEN:
            check(world, context, recovery_id)
            recovery_id = ""
        if state == FINISHED:
            return places


def go_back(cloud: Any, roads: Any, march: March) -> bool:
    """With all done that can be taken back, which is the longest way, and nova-compute not at work."""
    world, config = World.mixed(cloud, march.method), roads.config()
    context = open_hasty(config)
    with roads.watched(world, march.method):
        recovery_id = begin(context, world.stale.host, march.method)
        go_on(context, recovery_id, until=LAST_TO_TAKE_BACK[march.method])
        places: Set[str] = set()
        while context.journal(recovery_id).progress.state == OPEN:
            met = roads.attempt(config, recovery_id, True, replace(march.blow, spared=frozenset(places))).places
            state = context.journal(recovery_id).progress.state
            assert met or roads.carried_out or state == ROLLED_BACK, sorted(places)
            places |= met
    progress = context.journal(recovery_id).progress
    assert (progress.state, progress.direction) == (ROLLED_BACK, BACK)
    assert len(places) > 8, sorted(places)
    check(world, context, recovery_id)
    return True


def test_killed_before_anything_was_taken_away_it_is_still_open(cloud, roads):
    """Nobody undid it: a second one is refused, and told what to type."""
    world, config = World.mixed(cloud), roads.config()
    context = open_hasty(config)
    recovery_id = begin(context, world.stale.host)
    spared = frozenset(EVERY_WRITE[PRESERVE] - {"delete_allocations: POST /allocations"})
    assert roads.attempt(config, recovery_id, blow=Blow(BEFORE, spared=spared)).how == KILLED
    assert set(cloud.provider_allocations(world.stale.stale_uuid)) == {*world.kept, *world.leftovers}
    with pytest.raises(AssertionError, match=f"recovery {recovery_id} of .* is not finished: it is under way, or if"):
        begin(context, world.stale.host)
