"""Consumers that Nova knows as servers: each row of the table, on the real Placement and nova-api."""

from __future__ import annotations

import pytest

from testkit.cloud import new_name
from testkit.placement import ONE_SERVER
from testkit.planner import decision, elsewhere, outcome, part, refusal


def moved_server(cloud, stale, home, **options):
    """A server that lives on `home`, and holds both the stale provider and its home's."""
    server = cloud.server(host=home.host, node=home.node, **options)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, home.uuid: ONE_SERVER})
    return server


def hostless_server(cloud, stale, vm_state, **options):
    """A server without a host that holds the stale provider."""
    server = cloud.server(vm_state=vm_state, **options)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER})
    return server


STATES = {
    "active": "ACTIVE", "stopped": "SHUTOFF", "paused": "PAUSED", "suspended": "SUSPENDED", "rescued": "RESCUE",
    "shelved": "SHELVED", "error": "ERROR", "building": "BUILD",
}


def test_a_server_here_is_kept_in_any_state(cloud, planner):
    """As long as nothing is under way."""
    stale = cloud.stale_host(servers=len(STATES))
    for server, vm_state in zip(stale.servers, STATES):
        cloud.set_server(server, vm_state=vm_state)
    plan = planner.plan(stale.host)
    for server, status in zip(stale.servers, STATES.values()):
        assert outcome(plan, server) == ("server", "keep", "ready")
        assert decision(plan, server).evidence == f"{status} on {stale.host}"
        assert part(plan, server) == {stale.stale_uuid: ONE_SERVER}


def test_servers_of_all_projects_are_seen(cloud, planner):
    """A server of a project that is not the administrator's is no unknown consumer."""
    stale = cloud.stale_host(servers=0)
    project = "6" * 32
    foreign = cloud.server(host=stale.host, project=project)
    cloud.allocate(foreign, {stale.stale_uuid: ONE_SERVER}, project=project)
    assert outcome(planner.plan(stale.host), foreign) == ("server", "keep", "ready")


def test_a_soft_deleted_server_is_kept(cloud, planner):
    """It can be restored, though only lists of deleted servers show it."""
    stale = cloud.stale_host(servers=1)
    cloud.soft_delete_server(stale.servers[0])
    plan = planner.plan(stale.host)
    assert outcome(plan, stale.servers[0]) == ("server", "keep", "ready")
    assert decision(plan, stale.servers[0]).evidence == f"SOFT_DELETED on {stale.host}"


def test_a_server_under_another_node_name_is_refused(cloud, planner):
    """Nova does not track it on this node."""
    stale = cloud.stale_host(servers=1)
    other = f"{stale.node}.example.org"
    cloud.set_server(stale.servers[0], node=other)
    plan = planner.plan(stale.host)
    assert outcome(plan, stale.servers[0]) == ("server", "blocked", "refused")
    assert f"under node name {other}" in refusal(plan)
    assert stale.servers[0] in refusal(plan)


def test_a_server_that_is_settled_elsewhere_loses_the_stale_part_only(cloud, planner):
    """Evacuated or moved: the part at home is not touched."""
    stale, home = cloud.stale_host(servers=1), cloud.healthy_host()
    server = moved_server(cloud, stale, home)
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("moved server", "trim", "ready")
    assert elsewhere(plan, server) == [home.uuid]
    assert decision(plan, server).evidence == f"ACTIVE on {home.host}, where it holds its allocation"


def test_a_server_elsewhere_that_holds_nothing_at_home_is_refused(cloud, planner):
    """The stale part may be the only allocation that it has."""
    stale, home = cloud.stale_host(servers=0), cloud.healthy_host()
    server = cloud.server(host=home.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("moved server", "blocked", "refused")
    assert "holds nothing of the provider there" in refusal(plan)


def test_a_server_elsewhere_that_holds_a_third_host_is_refused(cloud, planner):
    """Another allocation is not enough, it must be that of its home."""
    stale, home, third = cloud.stale_host(servers=0), cloud.healthy_host(), cloud.healthy_host()
    server = cloud.server(host=home.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, third.uuid: ONE_SERVER})
    assert outcome(planner.plan(stale.host), server) == ("moved server", "blocked", "refused")


def test_a_server_with_three_providers_keeps_the_other_two(cloud, planner):
    """Its home's and a storage pool's."""
    stale, home = cloud.stale_host(servers=0), cloud.healthy_host()
    pool = cloud.provider(new_name(), inventories={"DISK_GB": 1000}, traits=["MISC_SHARES_VIA_AGGREGATE"])
    server = cloud.server(host=home.host)
    parts = {stale.stale_uuid: ONE_SERVER, home.uuid: ONE_SERVER, pool: {"DISK_GB": 3}}
    cloud.allocate(server, parts)
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("moved server", "trim", "ready")
    assert elsewhere(plan, server) == sorted([home.uuid, pool])
    assert part(plan, server) == {stale.stale_uuid: ONE_SERVER}


def test_a_part_on_a_foreign_provider_is_kept_and_reported(cloud, planner):
    """A server here whose bandwidth is Neutron's."""
    stale = cloud.stale_host(servers=0)
    nic = cloud.provider(new_name(), inventories={"NET_BW_EGR_KILOBIT_PER_SEC": 1000}, traits=())
    server = cloud.server(host=stale.host, name="web")
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, nic: {"NET_BW_EGR_KILOBIT_PER_SEC": 5}})
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("server", "keep", "ready")
    assert part(plan, server) == {stale.stale_uuid: ONE_SERVER}
    assert f"server web {server} also holds {nic}, which stays as it is" in plan.notes


def test_a_server_with_a_task_is_refused(cloud, planner):
    """Here or elsewhere: Nova may write its allocations at any moment."""
    stale, home = cloud.stale_host(servers=0), cloud.healthy_host()
    servers = {}
    for task in ("resize_prep", "migrating", "deleting", "image_snapshot", "rebuild_spawning"):
        servers[moved_server(cloud, stale, home, task_state=task)] = task
        here = cloud.server(host=stale.host, task_state=task)
        cloud.allocate(here, {stale.stale_uuid: ONE_SERVER})
        servers[here] = task
    plan = planner.plan(stale.host)
    for server, task in servers.items():
        assert outcome(plan, server) == ("server", "blocked", "refused")
        assert decision(plan, server).evidence.startswith(f"task {task} is under way; wait until it is over")


@pytest.mark.parametrize(("vm_state", "status"), [("shelved_offloaded", "SHELVED_OFFLOADED"), ("error", "ERROR")])
def test_a_server_without_a_host_is_dropped_with_approval(cloud, planner, vm_state, status):
    """By a published method, for only a person may say that its guest is nowhere; transplant keeps it and says so."""
    stale = cloud.stale_host(servers=1)
    server = hostless_server(cloud, stale, vm_state, name="lost")
    kept = planner.plan(stale.host)
    assert outcome(kept, server) == ("server without a host", "keep", "ready")
    assert any(one.startswith(f"server without a host lost {server} is kept: {status}") for one in kept.notes)
    plan = planner.plan(stale.host, method="preserve")
    assert outcome(plan, server) == ("server without a host", "drop", "needs_approval")
    assert plan.approvals == (
        f"server without a host lost {server} goes without proof: {status}, and on no host",
    )
    assert planner.plan(stale.host, method="preserve", approve=plan.digest).state == "ready"


def test_a_server_without_a_host_keeps_what_it_holds_elsewhere(cloud, planner):
    """Trimmed, and approved all the same."""
    stale, other = cloud.stale_host(servers=0), cloud.healthy_host()
    server = cloud.server(vm_state="error")
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, other.uuid: ONE_SERVER})
    plan = planner.plan(stale.host, method="preserve")
    assert outcome(plan, server) == ("server without a host", "trim", "needs_approval")


@pytest.mark.parametrize("scheduled", [True, False])
def test_a_server_that_is_being_built_is_refused(cloud, planner, scheduled):
    """Before the scheduler chose a cell, and after it."""
    stale = cloud.stale_host(servers=0)
    server = cloud.server(vm_state="building") if scheduled else cloud.unscheduled_server()
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert decision(plan, server).disposition == "blocked"
    assert plan.state == "refused"
    assert "BUILD" in refusal(plan) or "task scheduling" in refusal(plan)


def test_a_deleted_server_is_dropped(cloud, planner):
    """Nova still lists it as deleted."""
    stale = cloud.stale_host(servers=2)
    cloud.delete_server(stale.servers[0])
    plan = planner.plan(stale.host)
    assert outcome(plan, stale.servers[0]) == ("deleted server", "drop", "ready")
    assert decision(plan, stale.servers[0]).evidence == "server server is DELETED in nova"
    assert outcome(plan, stale.servers[1]) == ("server", "keep", "ready")


def test_a_server_that_was_deleted_elsewhere_is_dropped(cloud, planner):
    """It had moved before, so this host's list of deleted servers does not show it."""
    stale = cloud.stale_host(servers=1)
    cloud.set_server(stale.servers[0], host=new_name())
    cloud.delete_server(stale.servers[0])
    assert outcome(planner.plan(stale.host), stale.servers[0]) == ("deleted server", "drop", "ready")


def test_a_server_of_which_only_its_actions_remain_is_dropped(cloud, planner):
    """No list shows it, not even that of deleted servers."""
    stale = cloud.stale_host(servers=1)
    cloud.set_server(stale.servers[0], hidden=True)
    cloud.delete_server(stale.servers[0])
    plan = planner.plan(stale.host)
    assert outcome(plan, stale.servers[0]) == ("deleted server", "drop", "ready")
    assert decision(plan, stale.servers[0]).evidence == "nova has no such server, but remembers its actions"


def test_a_deleted_server_keeps_what_it_holds_elsewhere(cloud, planner):
    """That is another host's business."""
    stale, other = cloud.stale_host(servers=0), cloud.healthy_host()
    server = moved_server(cloud, stale, other)
    cloud.delete_server(server)
    assert outcome(planner.plan(stale.host), server) == ("deleted server", "trim", "ready")


def test_names_may_be_anything_that_nova_takes(cloud, planner):
    """Long ones, and those of other scripts."""
    stale = cloud.stale_host(servers=0)
    names = ["n" * 255, "сервер-ü-数据库-🐍", "'; DROP TABLE servers; --", "{{ ctx().st2 }} <% $ %>"]
    for name in names:
        cloud.allocate(cloud.server(host=stale.host, name=name), {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert sorted(one.name for one in plan.decisions) == sorted(names)
    assert plan.state == "ready"


@pytest.mark.parametrize("host", ["node-1.rack_2.example.org", "10.1.2.3", "fd00::17", "n" * 63 + "." + "n" * 60])
def test_a_host_may_be_called_by_any_name_that_nova_takes(cloud, planner, host):
    """Dots, underscores, addresses, long names."""
    stale = cloud.stale_host(servers=1, host=host)
    assert outcome(planner.plan(host), stale.servers[0]) == ("server", "keep", "ready")
