"""discard: nobody holds anything of the stale provider any more; nothing else is touched."""

from __future__ import annotations

import pytest

from placement_recovery.plan.case import Request
from placement_recovery.recovery.planning import plan_recovery
from testkit.driving import open_hasty, recover
from testkit.looks import enabled, lock_traits
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid


@pytest.fixture(scope="module")
def story(cloud):
    """A host recovered with discard: two servers, one with a part elsewhere, one that moved away."""
    stale, elsewhere = cloud.stale_host(servers=2), cloud.healthy_host()
    spread, away = cloud.server(host=stale.host), cloud.server(host=elsewhere.host)
    cloud.allocate(spread, {stale.stale_uuid: ONE_SERVER, elsewhere.uuid: {"DISK_GB": 7}}, consumer_type="INSTANCE")
    cloud.allocate(away, {stale.stale_uuid: ONE_SERVER, elsewhere.uuid: ONE_SERVER})
    with cloud.nova_compute(stale.host, interval=0.1):
        journal = recover(open_hasty(cloud.config(provider_wait=60)), stale.host, "discard")
    return stale, elsewhere, spread, away, journal


def test_nobody_holds_anything_of_the_host_any_more(cloud, story):
    """The stale provider is gone, the new one is empty."""
    stale = story[0]
    assert [cloud.allocations(server) for server in stale.servers] == [{}, {}]
    assert cloud.show_provider(stale.stale_uuid) is None
    assert cloud.find_provider(stale.node) == stale.compute_uuid
    assert cloud.provider_allocations(stale.compute_uuid) == {}


def test_parts_on_other_providers_stay_as_they_are(cloud, story):
    """Also the types of their consumers."""
    _, elsewhere, spread, away, _ = story
    assert cloud.allocations(spread) == {elsewhere.uuid: {"DISK_GB": 7}}
    assert cloud.allocations(away) == {elsewhere.uuid: ONE_SERVER}
    assert cloud.consumer(spread)["consumer_type"] == "INSTANCE"


def test_the_servers_stay_in_nova(cloud, story):
    """What becomes of them is their owners' business."""
    stale, _, spread, away, _ = story
    states = {cloud.nova.get(f"/servers/{one}")["server"]["status"] for one in (*stale.servers, spread, away)}
    assert states == {"ACTIVE"}


def test_nothing_is_left_of_the_recovery_itself(cloud, story):
    """No lock, no switch; a record that is finished."""
    stale, journal = story[0], story[-1]
    assert lock_traits(cloud, journal.saved.id) == []
    assert cloud.service(stale.host) == enabled()
    assert journal.progress.state == "finished"


def test_an_unknown_consumer_stands_in_the_way(cloud, context):
    """Discard would take it from an owner that Nova does not know."""
    stale, unknown = cloud.stale_host(servers=1), new_uuid()
    cloud.allocate(unknown, {stale.stale_uuid: ONE_SERVER})
    plan = plan_recovery(context, stale.host, Request("discard"))[1]
    assert plan.state == "refused"
    assert any(unknown in reason and "Use preserve" in reason for reason in plan.refusals)
