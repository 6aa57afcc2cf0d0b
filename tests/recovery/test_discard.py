"""discard: nobody holds anything of the stale provider any more; nothing else is touched."""

from __future__ import annotations

import pytest

from placement_recovery.plan.case import Request
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.recovery.service import servers_left_reason
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


def test_the_service_stays_disabled_while_servers_run_there_without_allocations(cloud, story):
    """The scheduler would fill the host beside them."""
    stale, journal = story[0], story[-1]
    reason = servers_left_reason(journal.saved.id)
    assert cloud.service(stale.host) == {"disabled": True, "disabled_reason": reason, "forced_down": False}
    told = journal.progress.steps["close_recovery"].summary
    assert f"the compute service of {stale.host} stays disabled, for 3 servers run there without allocations" in told
    assert f"openstack compute service set --enable {stale.host} nova-compute" in told


def test_nothing_else_is_left_of_the_recovery(cloud, story):
    """No lock; a record that is finished."""
    journal = story[-1]
    assert lock_traits(cloud, journal.saved.id) == []
    assert journal.progress.state == "finished"
    assert "consumers: 4 given up" in journal.progress.steps["verify_recovery"].summary


def test_where_nobody_runs_there_the_service_is_given_back(cloud, context):
    """Its consumers were servers that are gone, or live elsewhere."""
    stale = cloud.stale_host(servers=1)
    cloud.delete_server(stale.servers[0])
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host, "discard")
    assert cloud.service(stale.host) == enabled()


def test_an_unknown_consumer_stands_in_the_way(cloud, context):
    """Discard would take it from an owner that Nova does not know."""
    stale, unknown = cloud.stale_host(servers=1), new_uuid()
    cloud.allocate(unknown, {stale.stale_uuid: ONE_SERVER})
    plan = plan_recovery(context, stale.host, Request("discard"))[1]
    assert plan.state == "refused"
    assert any(unknown in reason and "Use preserve" in reason for reason in plan.refusals)
