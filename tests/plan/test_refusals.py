"""What must not be recovered, however well the stale provider is proven; on the real services."""

from __future__ import annotations

import secrets
import sys

import pytest

from placement_recovery.errors import InvalidInput
from placement_recovery.plan.method import METHODS
from testkit.cloud import new_name
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.planner import refusal


def test_a_service_that_is_forced_down_is_refused(cloud, planner):
    """The host may be fenced."""
    stale = cloud.stale_host(servers=1)
    cloud.set_service(stale.host, forced_down=True)
    told = refusal(planner.plan(stale.host))
    assert told.startswith(f"the compute service of {stale.host} is forced down")
    assert f"openstack compute service set --up {stale.host} nova-compute" in told


def test_a_service_that_is_down_is_refused(cloud, planner):
    """Nobody would make the new provider."""
    stale = cloud.stale_host(servers=1)
    cloud.set_service(stale.host, up=False)
    expected = f"the compute service of {stale.host} is down; bring nova-compute up first"
    assert refusal(planner.plan(stale.host)) == expected


def test_a_service_that_is_disabled_is_noted(cloud, planner):
    """It is recovered, and stays disabled."""
    stale = cloud.stale_host(servers=1)
    cloud.set_service(stale.host, disabled=True, disabled_reason="fan")
    plan = planner.plan(stale.host)
    assert plan.state == "ready"
    assert f"the compute service of {stale.host} is disabled already (fan) and will stay so" in plan.notes


@pytest.mark.parametrize("sign", ["hypervisor type", "resource class"])
def test_bare_metal_is_refused(cloud, planner, sign):
    """Ironic's providers are not ours to recover."""
    inventories = NOVA_INVENTORIES if sign == "hypervisor type" else {"CUSTOM_BAREMETAL_GOLD": 1}
    stale = cloud.stale_host(servers=0, inventories=inventories)
    if sign == "hypervisor type":
        cloud.set_compute_node(stale.host, hypervisor_type="ironic")
    assert "is a bare-metal node" in refusal(planner.plan(stale.host))


def test_a_provider_with_children_is_refused_and_they_are_named(cloud, planner):
    """A published method would lose them; whoever holds a child is seen too."""
    stale = cloud.stale_host(servers=1)
    child, grandchild = new_name(), new_name()
    uuid = cloud.provider(child, parent=stale.stale_uuid, inventories={"VGPU": 4}, traits=())
    cloud.provider(grandchild, parent=uuid, inventories={}, traits=())
    server = cloud.server(host=stale.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, uuid: {"VGPU": 1}})
    plan = planner.plan(stale.host, method="preserve")
    told = refusal(plan)
    assert f"has children, which preserve would lose: {', '.join(sorted([child, grandchild]))}" in told
    assert "Use method=transplant" in told
    assert {one.uuid for one in plan.decisions} == {server, *stale.servers}


def test_a_provider_that_is_itself_a_child_is_refused(cloud, planner):
    """No compute node's provider is; its parent is not called its child."""
    host, parent = new_name(), cloud.provider(new_name(), inventories={}, traits=())
    cloud.compute(host)
    uuid = cloud.provider(host, parent=parent)
    expected = f"provider {uuid} is itself a child of {parent}: no compute node's provider is"
    assert refusal(planner.plan(host)) == expected


def test_a_provider_that_is_claimed_is_refused(cloud, planner):
    """Another installation's recovery is at work, or a record was lost; its id and who shows it are told."""
    stale, other = cloud.stale_host(servers=1), secrets.token_hex(5)
    cloud.set_traits(stale.stale_uuid, ["COMPUTE_NODE", f"CUSTOM_PLACEMENT_RECOVERY_{other.upper()}"])
    told = refusal(planner.plan(stale.host))
    assert told.startswith(f"provider {stale.stale_uuid} is locked by recovery {other}, which is not unfinished")
    assert "audit_cloud and show_recoveries say how to remove the lock" in told


def tight(**inventory):
    """Nova's inventories with a VCPU inventory that is changed after the servers are placed."""
    return {**NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16, "allocation_ratio": 4.0, **inventory}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"allocation_ratio": 0.25}, "VCPU: 12 are held, but (16 - 0 reserved) x ratio 0.25 = 4 can be allocated"),
        ({"allocation_ratio": 1.0, "reserved": 5},
         "VCPU: 12 are held, but (16 - 5 reserved) x ratio 1 = 11 can be allocated"),
        ({"max_unit": 3}, "holds 4, but max_unit is 3"),
        ({"min_unit": 5}, "holds 4, but min_unit is 5"),
        ({"step_size": 3}, "holds 4, but step_size is 3"),
    ],
)
def test_what_would_not_fit_the_new_provider_is_refused_with_the_numbers(cloud, planner, change, expected):
    """Placement accepts such an inventory while the allocations stand, but never takes them again."""
    stale = cloud.stale_host(servers=3, inventories=tight(), resources={"VCPU": 4})
    cloud.set_inventories(stale.stale_uuid, tight(**change))
    plan = planner.plan(stale.host, method="preserve")
    assert plan.state == "refused"
    assert all(expected in told for told in plan.refusals)
    assert planner.plan(stale.host, method="discard").state == "needs_approval"


def test_a_host_that_is_full_to_the_last_unit_fits(cloud, planner):
    """16 of (8 - 0) x 2."""
    full = tight(total=8, max_unit=8, allocation_ratio=2.0)
    stale = cloud.stale_host(servers=4, inventories=full, resources={"VCPU": 4})
    plan = planner.plan(stale.host)
    assert [(one.needed, one.offered) for one in plan.capacity] == [(16, 16)]
    assert plan.state == "ready"


def test_what_is_not_kept_needs_no_room(cloud, planner):
    """An over-committed host whose deleted servers make it fit."""
    stale = cloud.stale_host(servers=3, inventories=tight(), resources={"VCPU": 4})
    cloud.set_inventories(stale.stale_uuid, tight(allocation_ratio=0.5))
    assert planner.plan(stale.host, method="preserve").state == "refused"
    cloud.delete_server(stale.servers[0])
    assert planner.plan(stale.host, method="preserve").state == "ready"


@pytest.mark.parametrize("method", METHODS)
def test_persistent_memory_is_refused(cloud, planner, method):
    """nova-compute fails at its next start after any change of such a root."""
    stale = cloud.stale_host(servers=1, inventories={**NOVA_INVENTORIES, "CUSTOM_PMEM_NAMESPACE_SMALL": 2})
    told = refusal(planner.plan(stale.host, method=method))
    assert "offers persistent memory (CUSTOM_PMEM_NAMESPACE_SMALL)" in told
    assert "by hand" in told


def command(*words, probe=()):
    """A configuration that restarts by a command."""
    return {"restart_how": "command", "restart_where": "local", "restart_command": list(words),
            "restart_probe_command": list(probe)}


def test_a_way_to_restart_that_fails_needs_approval(cloud, planner):
    """It is tried beforehand, harmlessly; most likely no restart is needed."""
    stale = cloud.stale_host(servers=1)
    config = command("true", probe=(sys.executable, "-c", "import sys; sys.exit('no such unit')"))
    fails = {"method": "preserve", "config": config}
    plan = planner.plan(stale.host, **fails)
    assert plan.state == "needs_approval"
    (told,) = plan.approvals
    assert told.startswith("the way to restart nova-compute was tried and fails: ")
    assert "no such unit" in told
    assert "restart it by hand and resume" in told
    assert planner.plan(stale.host, approve=plan.digest, **fails).state == "ready"


def test_a_way_to_restart_that_works_is_noted(cloud, planner):
    """And the restart itself is not run."""
    stale = cloud.stale_host(servers=1)
    plan = planner.plan(stale.host, method="preserve", config=command("false", "{host}", probe=("true",)))
    assert plan.state == "ready"
    assert any(note.startswith("restart, if need be: ") for note in plan.notes)


@pytest.mark.parametrize("method", ["preserve", "discard"])
def test_a_restart_that_nobody_configured_is_left_to_a_person(cloud, planner, method):
    """The published methods say where they would want one; a plan is as safe as with one."""
    stale = cloud.stale_host(servers=1)
    plan = planner.plan(stale.host, method=method)
    assert plan.state == ("ready" if method == "preserve" else "needs_approval")
    assert (
        f"restart, if need be: by hand on {stale.host}, then resume: restart_how is never in the pack's configuration"
    ) in plan.notes


def test_the_way_to_restart_is_not_tried_on_a_host_that_is_not_stale(cloud, planner, tmp_path):
    """A healthy host is left alone altogether."""
    healthy, mark = cloud.healthy_host(), tmp_path / "probed"
    config = command("true", probe=("touch", str(mark)))
    assert planner.plan(healthy.host, config=config).state == "healthy"
    assert not mark.exists()


def test_all_that_stands_in_the_way_is_told_at_once(cloud, planner):
    """Not one by one."""
    stale = cloud.stale_host(servers=2)
    cloud.set_service(stale.host, forced_down=True)
    cloud.set_server(stale.servers[0], task_state="migrating")
    cloud.provider(new_name(), parent=stale.stale_uuid, inventories={}, traits=())
    assert len(planner.plan(stale.host, method="preserve").refusals) == 3


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/../b", "a\nb", "x" * 300, "$(id)", "ü", "a..b"])
def test_what_can_be_no_host_name_is_refused_before_anything_is_asked(planner, name):
    """It never reaches a query or a shell."""
    with pytest.raises(InvalidInput):
        planner.plan(name)
