"""Others' tools at any point: what they strip or rewrite is set as it was saved, and who comes later is moved too.

`placement audit --delete` calls live servers on the renamed root orphans; `heal_allocations --force` rebuilds from the
flavor, on the root that bears the compute node's UUID.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

import pytest

from placement_recovery.errors import ProviderInUse
from placement_recovery.recovery.engine import run_step
from testkit.driving import Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import enabled, lock_traits
from testkit.placement import ONE_SERVER
from testkit.placement_tables import placement_tables
from testkit.rows import new_uuid

SAVED = {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 1}
HEALED = {"VCPU": 4, "MEMORY_MB": 512}
POINTS = ("after the root is replaced", "after the settings are copied", "in the moment of a write", "after the move",
          "after nova-compute has accepted")


class Story(NamedTuple):
    """A recovered host; by (tool, point) the consumer that it met."""

    stale: Any
    consumers: Dict[Tuple[str, str], str]
    errors: Dict[str, Exception]
    state: str


@pytest.fixture(scope="module")
def story(cloud):
    """A recovery during which each tool meets another consumer at each point."""
    stale = cloud.stale_host(servers=0)
    consumers = {}
    for point in POINTS:
        for tool in ("strip", "heal"):
            consumers[tool, point] = cloud.server(host=stale.host, vcpus=2, memory_mb=1024)
            cloud.allocate(consumers[tool, point], {stale.stale_uuid: SAVED})
        consumers["come", point] = new_uuid()
    context, meddler, errors = open_hasty(cloud.config(late_write_wait=0, batch_size=4)), Meddler(), {}

    def meddle(point):
        cloud.allocate(consumers["strip", point], {})
        cloud.allocate(consumers["heal", point], {stale.compute_uuid: HEALED})
        cloud.allocate(consumers["come", point], {stale.stale_uuid: ONE_SERVER})

    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="replace_resource_provider")
    meddle(POINTS[0])
    go_on(context, recovery_id, until="copy_provider_settings")
    meddle(POINTS[1])
    meddler.before("POST", "/allocations", lambda: meddle(POINTS[2]), passing=1)
    go_on(watched(context, meddler), recovery_id, until="move_allocations")
    meddle(POINTS[3])
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="wait_for_nova_compute")
        meddle(POINTS[4])
        with pytest.raises(ProviderInUse) as told:
            run_step(context, recovery_id, "delete_resource_provider")
        errors[POINTS[4]] = told.value
        go_on(context, recovery_id)
    progress = context.journal(recovery_id).progress
    return Story(stale, consumers, errors, progress.state if not lock_traits(cloud, recovery_id) else "locked")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("tool", ["strip", "heal"])
def test_what_was_saved_stands_in_the_end(cloud, story, tool, point):
    """Neither nothing nor the flavor's amounts."""
    assert cloud.allocations(story.consumers[tool, point]) == {story.stale.compute_uuid: SAVED}


@pytest.mark.parametrize("point", POINTS)
def test_who_came_to_the_stale_root_meanwhile_is_moved_too(cloud, story, point):
    """With what it held there."""
    assert cloud.allocations(story.consumers["come", point]) == {story.stale.compute_uuid: ONE_SERVER}


def test_the_stale_root_is_not_deleted_while_somebody_holds_it(cloud, story):
    """Who came last is named, and a resume moves it."""
    told = str(story.errors[POINTS[4]])
    assert f"held again, by consumer {story.consumers['come', POINTS[4]]}; resume" in told
    assert cloud.show_provider(story.stale.stale_uuid) is None
    assert (story.state, cloud.service(story.stale.host)) == ("finished", enabled())


def test_who_comes_in_the_moment_of_the_delete_is_moved_too(cloud, context, finish):
    """Placement refuses the delete."""
    stale, late, meddler = cloud.stale_host(servers=1), new_uuid(), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="wait_for_nova_compute")
    meddler.before("DELETE", "/resource_providers", lambda: cloud.allocate(late, {stale.stale_uuid: ONE_SERVER}))
    with pytest.raises(ProviderInUse, match=f"held again, by consumer {late}; resume"):
        run_step(watched(context, meddler), recovery_id, "delete_resource_provider")
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.allocations(late) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_a_server_that_is_stripped_after_the_stale_root_is_gone_gets_its_part_back(cloud, context, finish):
    """verify_recovery names it, and a resume sets it from the record."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="delete_resource_provider")
    cloud.allocate(stale.servers[0], {})
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_a_rollback_gives_back_what_they_stripped_or_rewrote(cloud, context):
    """As it was saved, in every row; who came meanwhile keeps the stale root."""
    stale, late = cloud.stale_host(servers=3), new_uuid()
    before = placement_tables(cloud)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    cloud.allocate(stale.servers[0], {})
    cloud.allocate(stale.servers[1], {stale.compute_uuid: HEALED})
    cloud.allocate(late, {stale.compute_uuid: ONE_SERVER})
    roll_back(context, recovery_id)
    assert cloud.allocations(late) == {stale.stale_uuid: ONE_SERVER}
    cloud.allocate(late, {})
    assert placement_tables(cloud) == before
