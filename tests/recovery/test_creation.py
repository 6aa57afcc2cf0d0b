"""create_resource_provider: the new root of preserve and discard, under the compute node's UUID."""

from __future__ import annotations

import pytest

from placement_recovery.errors import ProviderInUse, StepFailed
from testkit.driving import Killed, Meddler, begin, go_on, open_hasty, recover, roll_back, watched
from testkit.looks import enabled, holdings, lock_traits
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.rows import new_uuid
from testkit.waiting import wait_until

RATIO = {**NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16, "allocation_ratio": 3.5, "reserved": 2}}


def test_servers_hold_it_before_nova_compute_has_looked(cloud, context):
    """No periodic and no restart lies in the time without allocations; the scheduler finds the root disabled."""
    stale = cloud.stale_host(servers=2, inventories=RATIO, aggregates={new_uuid()})
    aggregates = cloud.aggregates(stale.stale_uuid)
    go_on(context, begin(context, stale.host), until="set_allocations")
    new = stale.compute_uuid
    assert cloud.provider_allocations(new) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.traits(new) == {"COMPUTE_STATUS_DISABLED"}
    assert (cloud.inventories(new)["VCPU"]["allocation_ratio"], cloud.inventories(new)["VCPU"]["reserved"]) == (3.5, 2)
    assert cloud.aggregates(new) == aggregates


def test_one_that_nova_compute_made_in_that_moment_is_taken(cloud, context):
    """With the ratio that was set on the stale one, which is no longer there when nova-compute makes its own."""
    stale, meddler = cloud.stale_host(servers=1, inventories=RATIO), Meddler()

    def make() -> None:
        cloud.provider(stale.node, stale.compute_uuid)

    meddler.before("POST", "/resource_providers", make, passing=1)  # the first one proves the fault
    recovery_id = begin(context, stale.host)
    go_on(watched(context, meddler), recovery_id, until="set_allocations")
    assert meddler.acts == []
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
    assert cloud.inventories(stale.compute_uuid)["VCPU"]["allocation_ratio"] == 3.5


def test_a_name_that_somebody_else_took_stops_it(cloud, context):
    """Nothing of theirs is touched."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    taken = cloud.provider(stale.node, inventories={"CUSTOM_LICENCE": 1}, traits=())
    mark = cloud.placement_mark()
    with pytest.raises(StepFailed, match=f"{stale.node} is taken by provider {taken}.*resume when the name is free"):
        go_on(context, recovery_id)
    assert not [one for one in cloud.placement_writes_since(mark) if taken in one.path]


def test_an_empty_one_of_a_uuid_that_changed_again_is_deleted(cloud, context):
    """The host was installed again in between."""
    stale, another = cloud.stale_host(servers=1), new_uuid()
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="create_resource_provider")
    cloud.set_compute_node(stale.host, uuid=another)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {another: ONE_SERVER}
    assert cloud.show_provider(stale.compute_uuid) is None


def test_one_that_nova_compute_made_under_yet_another_uuid_is_taken(cloud, context):
    """The recovery died right before it created one for the UUID before."""
    stale, another, meddler = cloud.stale_host(servers=1), new_uuid(), Meddler()
    recovery_id = begin(context, stale.host)
    meddler.before("POST", "/resource_providers", Killed.die, passing=1)
    with pytest.raises(Killed):
        go_on(watched(context, meddler), recovery_id)
    cloud.set_compute_node(stale.host, uuid=another)
    with cloud.nova_compute(stale.host, interval=0.1):
        wait_until(lambda: cloud.show_provider(another))
        go_on(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {another: ONE_SERVER}
    assert context.journal(recovery_id).progress.providers == {stale.stale_uuid: another}


def test_a_uuid_that_comes_back_gets_its_provider_back(cloud, context):
    """With all that is held there; the one that was made in between is deleted."""
    stale, another = cloud.stale_host(servers=2), new_uuid()
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="set_allocations")
    cloud.set_compute_node(stale.host, uuid=another)
    go_on(context, recovery_id, until="create_resource_provider")
    cloud.set_compute_node(stale.host, uuid=stale.compute_uuid)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.show_provider(stale.compute_uuid)["name"] == stale.node
    assert cloud.show_provider(another) is None
    assert lock_traits(cloud, recovery_id) == []


def test_the_stale_uuid_that_comes_back_is_a_rollbacks(cloud, context):
    """The provider that was deleted is the right one again: what was made in between gives it its name back."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="set_allocations")
    cloud.set_compute_node(stale.host, uuid=stale.stale_uuid)
    with pytest.raises(StepFailed, match=rf"comes back by '.*rollback_recovery recovery_id={recovery_id}'"):
        go_on(context, recovery_id)
    roll_back(context, recovery_id)
    assert cloud.provider_allocations(stale.stale_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.show_provider(stale.compute_uuid) is None
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_a_rollback_after_the_uuid_has_changed_leaves_nothing_behind(cloud, context):
    """Killed when what was made first had lost its name: its servers hold the stale one alone then."""
    stale, another, meddler = cloud.stale_host(servers=2), new_uuid(), Meddler()
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="set_allocations")
    cloud.set_compute_node(stale.host, uuid=another)
    meddler.before("POST", "/resource_providers", Killed.die)
    with pytest.raises(Killed):
        go_on(watched(context, meddler), recovery_id)
    roll_back(context, recovery_id)
    assert holdings(cloud, stale.servers) == {one: {stale.stale_uuid: ONE_SERVER} for one in stale.servers}
    assert cloud.show_provider(stale.compute_uuid) is None
    assert lock_traits(cloud, recovery_id) == []


def test_a_rollback_that_died_and_turned_forward_leaves_nothing_behind(cloud, context):
    """It had set aside what was made first, and had not turned back yet."""
    stale, another, meddler = cloud.stale_host(servers=2), new_uuid(), Meddler()
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="set_allocations")
    cloud.set_compute_node(stale.host, uuid=another)
    meddler.before("POST", "/resource_providers", Killed.die)
    with pytest.raises(Killed):
        roll_back(watched(context, meddler), recovery_id)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.provider_allocations(another) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.show_provider(stale.compute_uuid) is None


def test_one_that_was_killed_while_it_was_bare_is_found_disabled_by_the_scheduler(cloud, context):
    """A resume gives it all that the stale one had, before any server holds it."""
    stale, meddler = cloud.stale_host(servers=1, traits=["COMPUTE_NODE", "CUSTOM_RACK_7"]), Meddler()
    recovery_id = begin(context, stale.host)
    meddler.after("POST", "/resource_providers", Killed.die)  # the proof before it is answered by a conflict
    with pytest.raises(Killed):
        go_on(watched(context, meddler), recovery_id)
    assert cloud.traits(stale.compute_uuid) == set()
    go_on(context, recovery_id, until="create_resource_provider")
    assert cloud.traits(stale.compute_uuid) == {"COMPUTE_STATUS_DISABLED", "CUSTOM_RACK_7"}
    assert set(cloud.inventories(stale.compute_uuid)) == set(NOVA_INVENTORIES)


def test_a_discard_deletes_no_former_one_that_somebody_holds(cloud):
    """Whoever came to the provider meanwhile is named."""
    stale, stranger, another = cloud.stale_host(servers=1), new_uuid(), new_uuid()
    context = open_hasty(cloud.config())
    recovery_id = begin(context, stale.host, "discard")
    go_on(context, recovery_id, until="create_resource_provider")
    cloud.allocate(stranger, {stale.compute_uuid: ONE_SERVER})
    cloud.set_compute_node(stale.host, uuid=another)
    with pytest.raises(ProviderInUse, match=f"{stale.compute_uuid} is in use again, by consumer {stranger}"):
        go_on(context, recovery_id)
    cloud.allocate(stranger, {})
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.show_provider(stale.compute_uuid) is None


def test_the_host_is_found_healthy_at_the_end(cloud, context):
    """Nova's own root is the one that was created, with all that nova-compute reports."""
    stale = cloud.stale_host(servers=1)
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host)
        wait_until(lambda: "COMPUTE_STATUS_DISABLED" not in cloud.traits(stale.compute_uuid))
    assert "COMPUTE_NODE" in cloud.traits(stale.compute_uuid)
