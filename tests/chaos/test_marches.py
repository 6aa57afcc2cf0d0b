"""One recovery is hit again and again, at each place once: at every write of every step, and nothing is lost.

Each attempt begins where another one was cut off, so that most of them are resumes of resumes. A share of the marches
here; `make chaos` goes through all of them, those before every read too.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, Set

import pytest

from placement_recovery.records.record import FINISHED, OPEN, ROLLED_BACK
from testkit.chaos.process import AFTER, ANSWERS, BEFORE, KILLED, READ, RECORD, SENT, WRITE, Blow
from testkit.chaos.tally import ALL
from testkit.chaos.world import World
from testkit.driving import begin, go_on, open_hasty

DEATHS = (Blow(BEFORE), Blow(SENT), Blow(AFTER), Blow(BEFORE, RECORD))
MARCHES = (("preserve", Blow(SENT)), ("preserve", Blow(BEFORE, RECORD)))
if ALL:
    MARCHES = tuple(product(("preserve", "discard"), (*DEATHS, Blow(BEFORE, READ))))
EVERY_WRITE = {
    "lock_provider: PUT /traits/*",
    "lock_provider: PUT /resource_providers/*/traits",
    "disable_compute_service: PUT /os-services/*",
    "delete_allocations: POST /allocations",
    "delete_resource_provider: DELETE /resource_providers/*",
    "restore_provider_settings: PUT /resource_providers/*/traits",
    "set_allocations: POST /allocations",
    "close_recovery: PUT /resource_providers/*/traits",
    "close_recovery: DELETE /traits/*",
    "close_recovery: PUT /os-services/*",
}


def march(world: World, roads: Any, method: str, blow: Blow) -> Set[str]:
    """Hit one recovery after another of this world, each place once, until one comes to its end; the places."""
    config = roads.config(provider_wait=60, periodic_wait=60)
    context, recovery_id, places = open_hasty(config), "", set()  # type: ignore[var-annotated]
    while True:
        recovery_id = recovery_id or begin(context, world.stale.host, method)
        met = roads.attempt(config, recovery_id, False, replace(blow, spared=frozenset(places))).places
        state = context.journal(recovery_id).progress.state
        assert met or state == FINISHED, "nothing hit it, and still it did not end; see the output"
        places |= met
        if state != OPEN:
            assert world.problems(context, recovery_id) == [], places
            recovery_id = ""
        if state == FINISHED:
            return places


@pytest.mark.parametrize(("method", "blow"), MARCHES, ids=str)
def test_killed_at_every_request(cloud, roads, method, blow):
    """Before it is sent, before and after its answer, and before the record is written."""
    world = World.mixed(cloud, method)
    with cloud.nova_compute(world.stale.host, interval=0.1):
        places = march(world, roads, method, blow)
    if blow.at == WRITE:
        assert places >= EVERY_WRITE - ({"set_allocations: POST /allocations"} if method == "discard" else set())
    else:
        assert len(places) > 20


@pytest.mark.parametrize("what", ANSWERS if ALL else ("409",))
def test_each_write_is_answered_otherwise(cloud, roads, what):
    """Once each; what took nothing away is begun anew."""
    world = World.mixed(cloud)
    with cloud.nova_compute(world.stale.host, interval=0.1):
        assert march(world, roads, "preserve", Blow(what)) >= EVERY_WRITE


@pytest.mark.parametrize("blow", DEATHS if ALL else (Blow(SENT),), ids=str)
def test_killed_at_every_write_of_a_rollback(cloud, roads, blow):
    """With the stale provider deleted and the new one not there yet, which is the longest way back."""
    world, config = World.mixed(cloud), roads.config()
    context = open_hasty(config)
    recovery_id = begin(context, world.stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    places: Set[str] = set()
    while context.journal(recovery_id).progress.state == OPEN:
        met = roads.attempt(config, recovery_id, True, replace(blow, spared=frozenset(places))).places
        assert met or context.journal(recovery_id).progress.state == ROLLED_BACK
        places |= met
    assert context.journal(recovery_id).progress.state == ROLLED_BACK
    assert len(places) > 8
    assert world.problems(context, recovery_id) == []


def test_killed_before_anything_was_taken_away_it_is_still_open(cloud, roads):
    """Nobody undid it: a second one is refused, and told what to type."""
    world, config = World.mixed(cloud), roads.config()
    context = open_hasty(config)
    recovery_id = begin(context, world.stale.host)
    spared = frozenset(EVERY_WRITE - {"delete_allocations: POST /allocations"})
    assert roads.attempt(config, recovery_id, blow=Blow(BEFORE, spared=spared)).how == KILLED
    assert set(cloud.provider_allocations(world.stale.stale_uuid)) == {*world.kept, *world.leftovers}
    with pytest.raises(AssertionError, match=f"recovery {recovery_id} of .* is not finished: it is under way, or if"):
        begin(context, world.stale.host)
