"""recreate_children: nova-compute recreates the children that it missed, by approval, and nobody loses a part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.errors import (
    CapacityExceeded,
    InvalidInput,
    RecoveryUnderWay,
    StepFailed,
    VerificationFailed,
)
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.recreation import recreate_children
from testkit.driving import HastyClock, Killed, Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import enabled, holdings
from testkit.placement import ONE_SERVER

VGPU = {"VGPU": 1}


class Periodics(HastyClock):
    """At each sleep nova-compute goes through a periodic, in which it makes the children that it misses."""

    def __init__(self, periodic):
        super().__init__()
        self._periodic = periodic

    def sleep(self, seconds):
        """Pass the time."""
        self._periodic()
        super().sleep(seconds)


@pytest.fixture
def host(cloud):
    """A stale host with a vGPU of nova's, which two servers hold, and a child of somebody else's."""
    stale = cloud.stale_host(servers=1)
    child = cloud.provider(
        f"{stale.node}_pgpu0", parent=stale.stale_uuid, inventories={"VGPU": 4},
        traits=("CUSTOM_RACK_7", "HW_GPU_API_VULKAN"),
    )
    cloud.provider(f"{stale.node}:agent", parent=stale.stale_uuid, inventories={}, traits=())
    servers = [cloud.server(host=stale.host) for _ in range(2)]
    for one in servers:
        cloud.allocate(one, {stale.stale_uuid: ONE_SERVER, child: VGPU})
    return stale, child, servers


@pytest.fixture
def raced(cloud, host):
    """Its transplant, up to the wait for a nova-compute that misses its child; a context, and the recovery's id."""
    stale = host[0]

    def periodic():
        name = f"{stale.node}_pgpu0"
        if cloud.find_provider(name) is None:
            cloud.provider(name, parent=stale.compute_uuid, inventories={"VGPU": 4}, traits=("HW_GPU_API_VULKAN",))

    config = cloud.config(late_write_wait=0, acceptance_wait=20, refresh_wait=0)
    context = replace(open_hasty(config), clock=Periodics(periodic))
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    return context, recovery_id


def test_it_shows_the_children_and_waits_for_approval(cloud, host, raced):
    """Only those of nova's; nothing is written."""
    (_, child, _), (context, recovery_id) = host, raced
    mark = cloud.placement_mark()
    shown = recreate_children(context, context.journal(recovery_id))
    assert [one.uuid for one in shown.children] == [child]
    assert not shown.done
    assert "under other UUIDs" in shown.summary
    assert not recreate_children(context, context.journal(recovery_id), "0" * 8).done
    assert cloud.placement_writes_since(mark) == []


def test_the_approved_children_are_recreated_and_keep_what_they_held(cloud, host, raced, finish):
    """Nobody is without its part, others' traits come along, and the recovery ends well."""
    (stale, child, servers), (context, recovery_id) = host, raced
    assert approved(context, recovery_id).done
    own = cloud.find_provider(f"{stale.node}_pgpu0")
    assert own != child
    assert cloud.show_provider(child) is None
    assert cloud.traits(own) == {"CUSTOM_RACK_7", "HW_GPU_API_VULKAN"}
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, servers) == {one: {stale.compute_uuid: ONE_SERVER, own: VGPU} for one in servers}
    assert cloud.service(stale.host) == enabled()


@pytest.mark.parametrize(
    ("when", "method", "path"),
    [("after", "PUT", "s/{child}"), ("after", "POST", "/allocations"), ("before", "DELETE", "s/{child}")],
    ids=["set aside", "one moved", "before the delete"],
)
def test_killed_in_the_middle_a_resume_ends_well_for_each_child(cloud, host, raced, finish, when, method, path):
    """Back below the root where nova-compute has none of its own, else onto that."""
    (stale, child, servers), (context, recovery_id) = host, raced
    digest, meddler = recreate_children(context, context.journal(recovery_id)).digest, Meddler()
    getattr(meddler, when)(method, path.format(child=child), Killed.die)
    with pytest.raises(Killed):
        recreate_children(watched(context, meddler), context.journal(recovery_id), digest)
    with pytest.raises(StepFailed, match="were set aside for nova-compute to recreate them; finish forward"):
        roll_back(context, recovery_id)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    below = cloud.find_provider(f"{stale.node}_pgpu0")
    assert (below == child) == (method == "PUT")
    assert (cloud.show_provider(child) is None) == (method != "PUT")
    assert holdings(cloud, servers) == {one: {stale.compute_uuid: ONE_SERVER, below: VGPU} for one in servers}
    assert cloud.show_provider(below)["parent_provider_uuid"] == stale.compute_uuid


def test_a_child_that_nova_compute_does_not_make_is_put_back(cloud, host, raced, finish):
    """Within the time in which it would have."""
    (stale, child, servers), (context, recovery_id) = host, raced
    idle = replace(context, clock=HastyClock())
    said = approved(idle, recovery_id).summary
    assert f"{stale.node}_pgpu0 is back below the root" in said
    assert cloud.show_provider(child)["parent_provider_uuid"] == stale.compute_uuid
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, servers) == {one: {stale.compute_uuid: ONE_SERVER, child: VGPU} for one in servers}


def test_it_is_refused_before_the_move_and_after_the_acceptance(cloud, context, host):
    """And where nova-compute makes no children."""
    stale, child, _ = host
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    with pytest.raises(StepFailed, match="has not moved its allocations yet"):
        recreate_children(context, context.journal(recovery_id))
    go_on(context, recovery_id, until="move_allocations")
    cloud.set_traits(stale.compute_uuid, ["COMPUTE_NODE"])
    with pytest.raises(StepFailed, match="has accepted its provider"):
        recreate_children(context, context.journal(recovery_id))
    cloud.set_traits(stale.compute_uuid, [])
    for one in cloud.provider_allocations(child):
        cloud.allocate(one, {stale.compute_uuid: ONE_SERVER})
    cloud.delete_provider(child)
    with pytest.raises(InvalidInput, match="there is nothing to recreate on"):
        recreate_children(context, context.journal(recovery_id))


def test_a_run_that_waits_meanwhile_stops(cloud, host, raced):
    """It would write its own view of the record over the new children's."""
    context, recovery_id = raced
    waiting = context.journal(recovery_id).progress.attempt
    approved(context, recovery_id)
    with pytest.raises(RecoveryUnderWay, match="another resume of recovery"):
        run_step(context, recovery_id, "wait_for_nova_compute", waiting)


def test_a_child_that_is_set_aside_late_is_brought_back_before_the_end(cloud, host, raced, finish):
    """The request that set it aside got no answer, and is carried out after the resume looked."""
    (stale, child, servers), (context, recovery_id) = host, raced
    idle = replace(context, clock=HastyClock())
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(idle, recovery_id, until="verify_recovery")
        body = {"name": f"{stale.node}_pgpu0.stale-{recovery_id}", "parent_provider_uuid": None}
        cloud.placement.call("PUT", f"/resource_providers/{child}", body, microversion="1.37")
        with pytest.raises(VerificationFailed, match=f"{child}.* is below no provider, .*a late write was carried out"):
            run_step(idle, recovery_id, "close_recovery")
    assert finish(idle, stale, recovery_id).progress.state == "finished"
    assert cloud.show_provider(child)["parent_provider_uuid"] == stale.compute_uuid
    assert holdings(cloud, servers) == {one: {stale.compute_uuid: ONE_SERVER, child: VGPU} for one in servers}


def test_what_servers_held_of_a_child_that_others_replaced_is_set_on_the_new_one(cloud, host, raced, finish):
    """Somebody stripped its holders, and nova-compute made it under another UUID."""
    (stale, child, servers), (context, recovery_id) = host, raced
    for one in servers:
        cloud.allocate(one, {stale.compute_uuid: ONE_SERVER})
    cloud.delete_provider(child)
    own = cloud.provider(f"{stale.node}_pgpu0", parent=stale.compute_uuid, inventories={"VGPU": 4}, traits=())
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, servers) == {one: {stale.compute_uuid: ONE_SERVER, own: VGPU} for one in servers}


def test_a_child_that_servers_held_and_that_is_gone_is_named(cloud, host, raced, finish):
    """The recovery does not end as if all were well; once its servers are deleted it does."""
    (stale, child, servers), (context, recovery_id) = host, raced
    for one in servers:
        cloud.allocate(one, {stale.compute_uuid: ONE_SERVER})
    cloud.delete_provider(child)
    with pytest.raises(VerificationFailed, match=f"{min(servers)} held .*{child}.*, and that child provider is gone"):
        finish(context, stale, recovery_id)
    for one in servers:
        cloud.delete_server(one)
        cloud.allocate(one, {})
    assert finish(context, stale, recovery_id).progress.state == "finished"


def test_a_new_child_that_is_too_small_is_named_and_nothing_is_lost(cloud, host, raced, finish):
    """Its holders stay on the former one until there is room."""
    (stale, child, servers), (context, recovery_id) = host, raced
    idle = replace(context, clock=Periodics(lambda: smaller(cloud, stale)))
    with pytest.raises(CapacityExceeded, match=f"does not take what child provider {child} holds"):
        approved(idle, recovery_id)
    own = cloud.find_provider(f"{stale.node}_pgpu0")
    assert {*cloud.provider_allocations(child), *cloud.provider_allocations(own)} == set(servers)
    cloud.set_inventories(own, {"VGPU": 4})
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, servers) == {one: {stale.compute_uuid: ONE_SERVER, own: VGPU} for one in servers}


def smaller(cloud, stale):
    """nova-compute's own child has room for one."""
    if cloud.find_provider(f"{stale.node}_pgpu0") is None:
        cloud.provider(f"{stale.node}_pgpu0", parent=stale.compute_uuid, inventories={"VGPU": 1}, traits=())


def approved(context, recovery_id):
    """The children are shown, and recreated by the digest of that."""
    digest = recreate_children(context, context.journal(recovery_id)).digest
    return recreate_children(context, context.journal(recovery_id), digest)
