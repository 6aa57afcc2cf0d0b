"""Writes that are carried out though their answer says otherwise, or long after somebody gave them up."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from placement_recovery.cloud.placement import CONCURRENT_UPDATE
from placement_recovery.errors import ApiConflict, ApiUnreachable, ConsumerChanged, StepFailed
from placement_recovery.recovery.engine import run_step
from testkit.api import Unexpected
from testkit.driving import Meddler, begin, go_on, roll_back, watched
from testkit.looks import holdings, moved
from testkit.placement import ONE_SERVER


def answered_conflict() -> None:
    """What a proxy answers that sent a request twice: the first one was carried out, the second met its result."""
    raise ApiConflict("placement: POST /allocations answered 409", 409, CONCURRENT_UPDATE)


def test_a_clear_that_was_carried_out_is_not_abandoned(cloud, context):
    """Placement's answer was a conflict; then the host is fenced before the stale provider is deleted."""
    stale, meddler = cloud.stale_host(servers=2), Meddler()
    recovery_id = begin(context, stale.host)
    meddler.after("POST", "/allocations", answered_conflict)
    go_on(watched(context, meddler), recovery_id, until="delete_allocations")
    cloud.set_service(stale.host, forced_down=True)
    with pytest.raises(StepFailed):
        run_step(context, recovery_id, "delete_resource_provider")
    assert context.journal(recovery_id).progress.state == "open"
    assert cloud.service(stale.host)["disabled"]


def test_a_clear_that_comes_late_does_not_empty_what_was_set(cloud, context):
    """A resume carried the clear out, and set everything, before the first one got through."""
    stale, meddler = cloud.stale_host(servers=2), Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(watched(context, meddler), recovery_id)
    deliver_late(cloud, meddler)
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)


def deliver_late(cloud: Any, meddler: Meddler) -> None:
    """The first clear once more; Placement may refuse it."""
    clear = next(one for one in meddler.sent if (one.method, one.path) == ("POST", "/allocations"))
    with contextlib.suppress(Unexpected):
        cloud.placement.call(clear.method, clear.path, clear.body, clear.version)


def test_a_clear_that_comes_after_the_rollback_empties_nobody(cloud, context):
    """It got no answer and waited in a proxy's queue; whatever the rollback found equal it has written once more."""
    stale, meddler = cloud.stale_host(servers=2), Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host)

    def lost() -> None:
        raise ApiUnreachable("placement: POST /allocations got no answer")

    meddler.before("POST", "/allocations", lost)
    with pytest.raises(ApiUnreachable):
        go_on(watched(context, meddler), recovery_id)
    roll_back(context, recovery_id)
    deliver_late(cloud, meddler)
    assert holdings(cloud, stale.servers) == before


def test_a_server_that_moves_in_the_moment_of_the_clear_is_named(cloud, context):
    """Its allocation was taken away and made anew at home, at the generation that the clear names."""
    stale, home, meddler = cloud.stale_host(servers=2), cloud.healthy_host(), Meddler()
    moved_away = stale.servers[0]
    recovery_id = begin(context, stale.host, "discard")

    def move() -> None:
        cloud.allocate(moved_away, {})
        cloud.allocate(moved_away, {home.uuid: ONE_SERVER})
        cloud.set_server(moved_away, host=home.host, node=home.host)

    meddler.before("POST", "/allocations", move)
    with pytest.raises(ConsumerChanged, match=f"in the moment of a write.*: {moved_away}.*heal_allocations"):
        go_on(watched(context, meddler), recovery_id)
    cloud.allocate(moved_away, {home.uuid: ONE_SERVER})
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.allocations(moved_away) == {home.uuid: ONE_SERVER}


@pytest.mark.long
def test_a_server_that_moves_to_where_it_held_a_disk_in_the_moment_of_the_clear_is_named(cloud, context):
    """It holds something of its new home, but not what a server holds there."""
    stale, home, meddler = cloud.stale_host(servers=1), cloud.healthy_host(), Meddler()
    server = cloud.server(host=stale.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, home.uuid: {"DISK_GB": 7}})
    recovery_id = begin(context, stale.host)

    def move() -> None:
        cloud.set_server(server, host=home.host, node=home.node)
        cloud.allocate(server, {})
        cloud.allocate(server, {home.uuid: ONE_SERVER})

    meddler.before("POST", "/allocations", move)
    with cloud.nova_compute(stale.host, interval=0.1):
        with pytest.raises(ConsumerChanged, match=f"{server}.*heal_allocations --instance {server} --force"):
            go_on(watched(context, meddler), recovery_id)
        assert cloud.allocations(server) == {home.uuid: {"DISK_GB": 7}}
        cloud.allocate(server, {home.uuid: ONE_SERVER})
        go_on(context, recovery_id)
    assert cloud.allocations(server) == {home.uuid: ONE_SERVER}


def test_a_server_that_moves_in_the_moment_of_the_set_is_named(cloud, context):
    """The write that gives it its part back takes what it has got at its new home."""
    stale, home, meddler = cloud.stale_host(servers=1), cloud.healthy_host(), Meddler()
    server = cloud.server(host=stale.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, home.uuid: {"DISK_GB": 7}})
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="create_resource_provider")
        left = cloud.placement.call("GET", f"/allocations/{server}")["consumer_generation"]

        def move() -> None:
            cloud.set_server(server, host=home.host, node=home.node)
            cloud.allocate(server, {})
            while True:
                cloud.allocate(server, {home.uuid: ONE_SERVER})
                if cloud.placement.call("GET", f"/allocations/{server}")["consumer_generation"] == left:
                    return

        meddler.before("POST", "/allocations", move)
        with pytest.raises(ConsumerChanged, match=f"{server}.*heal_allocations --instance {server} --force"):
            go_on(watched(context, meddler), recovery_id)
        cloud.allocate(server, {home.uuid: ONE_SERVER})
        go_on(context, recovery_id)
    assert cloud.allocations(server) == {home.uuid: ONE_SERVER}
