"""Rows of each kind are seen through the real API as they were meant."""

from __future__ import annotations

import pytest

from testkit.api import Unexpected
from testkit.cloud import new_name
from testkit.rows import PROJECT, USER, RowsError, new_uuid


def service(cloud, host):
    """The host's nova-compute as the API lists it."""
    (found,) = cloud.nova.get(f"/os-services?binary=nova-compute&host={host}")["services"]
    return found


def hypervisors(cloud, name):
    """The hypervisors of this name in the list."""
    listed = cloud.nova.get("/os-hypervisors/detail")["hypervisors"]
    return [found for found in listed if found["hypervisor_hostname"] == name]


def server(cloud, uuid):
    """GET of one server."""
    return cloud.nova.get(f"/servers/{uuid}")["server"]


def listed(cloud, host, query=""):
    """The UUIDs of the servers on a host, all projects."""
    return set(statuses(cloud, f"&host={host}{query}"))


def statuses(cloud, query=""):
    """The status of each server in a list over all projects, however many pages it has."""
    found, page = [], [{"id": ""}]
    while page:
        marker = page[-1]["id"] and f"&marker={page[-1]['id']}"
        page = cloud.nova.get(f"/servers/detail?all_tenants=1{query}{marker}")["servers"]
        found += page
    return {server["id"]: server["status"] for server in found}


def migrations(cloud, host):
    """The migrations from or to a host, by UUID."""
    return {found["uuid"]: found for found in cloud.nova.get(f"/os-migrations?host={host}")["migrations"]}


def actions(cloud, uuid):
    """The names of a server's instance actions, newest first."""
    return [found["action"] for found in cloud.nova.get(f"/servers/{uuid}/os-instance-actions")["instanceActions"]]


def missing(cloud, path):
    """Whether nova answers 404."""
    with pytest.raises(Unexpected) as caught:
        cloud.nova.get(path)
    return caught.value.status == 404


def test_a_compute_is_up_and_enabled(cloud):
    """Service and node are listed together, under host and node name."""
    host, node = new_name(), new_name()
    uuid = cloud.compute(host, node)
    found = service(cloud, host)
    assert (found["state"], found["status"], found["forced_down"]) == ("up", "enabled", False)
    (hypervisor,) = hypervisors(cloud, node)
    assert (hypervisor["id"], hypervisor["service"]["host"], hypervisor["hypervisor_type"]) == (uuid, host, "QEMU")


def test_a_compute_may_start_down_disabled_and_fenced(cloud):
    """Each of the service's facts can be given."""
    host = new_name()
    cloud.compute(host, service_up=False, disabled=True, disabled_reason="fan", forced_down=True)
    found = service(cloud, host)
    facts = (found["state"], found["status"], found["disabled_reason"], found["forced_down"])
    assert facts == ("down", "disabled", "fan", True)


def test_a_service_that_is_down_does_not_come_up_by_a_heartbeat(cloud):
    """Heartbeats are for the services that are up."""
    host = new_name()
    cloud.compute(host)
    cloud.set_service(host, up=False)
    cloud.heartbeat()
    assert service(cloud, host)["state"] == "down"


def test_a_heartbeat_is_a_new_report(cloud):
    """What keeps a service up longer than service_down_time."""
    host = new_name()
    cloud.compute(host)
    before = service(cloud, host)["updated_at"]
    cloud.heartbeat()
    assert service(cloud, host)["updated_at"] > before


def test_a_compute_that_is_not_discovered_yet_has_no_hypervisor_in_the_list(cloud):
    """Until discover_hosts maps the host."""
    host = new_name()
    cloud.compute(host, mapped=False)
    assert not hypervisors(cloud, host)
    cloud.map_host(host)
    assert hypervisors(cloud, host)


def test_two_hosts_may_report_one_node_name(cloud):
    """The misconfiguration that looks like the fault."""
    node = new_name()
    uuids = {cloud.compute(new_name(), node), cloud.compute(new_name(), node)}
    assert {found["id"] for found in hypervisors(cloud, node)} == uuids


def test_a_compute_node_can_get_a_new_uuid(cloud):
    """The old one is unknown then."""
    host = new_name()
    old, new = cloud.compute(host), new_uuid()
    cloud.set_compute_node(host, uuid=new)
    assert cloud.nova.get(f"/os-hypervisors/{new}")["hypervisor"]["hypervisor_hostname"] == host
    assert missing(cloud, f"/os-hypervisors/{old}")


def test_a_deleted_compute_is_gone(cloud):
    """As after `compute service delete`; a name that was used can be used again."""
    host = new_name()
    cloud.compute(host)
    cloud.delete_compute(host)
    assert cloud.nova.get(f"/os-services?host={host}")["services"] == []
    assert not hypervisors(cloud, host)
    cloud.compute(host)
    assert hypervisors(cloud, host)


def test_the_api_switches_a_service_and_the_row_shows_it(cloud):
    """The switch does not wait for a nova-compute that is not there."""
    host = new_name()
    cloud.compute(host)
    body = {"status": "disabled", "disabled_reason": "recovery"}
    cloud.nova.call("PUT", f"/os-services/{service(cloud, host)['id']}", body)
    assert cloud.service(host) == {"disabled": True, "disabled_reason": "recovery", "forced_down": False}


def test_a_server_is_shown_with_its_place_owner_and_flavor(cloud):
    """All that a plan looks at."""
    host = new_name()
    cloud.compute(host)
    uuid = cloud.server(host=host, vcpus=2, memory_mb=1024, disk_gb=3, name="web")
    found = server(cloud, uuid)
    assert (found["status"], found["name"], found["tenant_id"], found["user_id"]) == ("ACTIVE", "web", PROJECT, USER)
    assert found["OS-EXT-SRV-ATTR:host"] == found["OS-EXT-SRV-ATTR:hypervisor_hostname"] == host
    assert (found["flavor"]["vcpus"], found["flavor"]["ram"], found["flavor"]["disk"]) == (2, 1024, 3)
    assert listed(cloud, host) == {uuid}


def test_a_server_changes_in_place(cloud):
    """Host, states, flavor and system metadata, while the test runs."""
    uuid = cloud.server(host=new_name())
    cloud.set_server(
        uuid, host="b", node="b.example.org", vm_state="resized", task_state="resize_reverting", vcpus=8,
        system_metadata={"old_vm_state": "active"},
    )
    found = server(cloud, uuid)
    assert (found["OS-EXT-SRV-ATTR:host"], found["OS-EXT-SRV-ATTR:hypervisor_hostname"]) == ("b", "b.example.org")
    assert (found["status"], found["OS-EXT-STS:task_state"]) == ("REVERT_RESIZE", "resize_reverting")
    assert found["flavor"]["vcpus"] == 8


@pytest.mark.parametrize(("vm_state", "status"), [("error", "ERROR"), ("shelved_offloaded", "SHELVED_OFFLOADED")])
def test_a_server_may_be_without_a_host(cloud, vm_state, status):
    """Such as failed builds and what was offloaded."""
    found = server(cloud, cloud.server(vm_state=vm_state))
    assert (found["status"], found["OS-EXT-SRV-ATTR:host"]) == (status, None)


def test_a_server_may_still_be_a_build_request(cloud):
    """BUILD, before the scheduler chose a cell; and in a cell, before a host has it."""
    requested, scheduled = cloud.unscheduled_server(), cloud.server(vm_state="building", task_state="scheduling")
    assert server(cloud, requested)["status"] == server(cloud, scheduled)["status"] == "BUILD"


def test_a_soft_deleted_server_is_shown_but_not_listed(cloud):
    """It can be restored; only lists of deleted servers have it."""
    host = new_name()
    uuid = cloud.server(host=host)
    cloud.soft_delete_server(uuid)
    assert server(cloud, uuid)["status"] == "SOFT_DELETED"
    assert listed(cloud, host) == set()
    assert listed(cloud, host, "&deleted=true") == {uuid}


def test_a_deleted_server_leaves_its_actions(cloud):
    """404, listed as deleted, and its instance actions tell what happened."""
    host = new_name()
    uuid = cloud.server(host=host)
    cloud.delete_server(uuid)
    assert missing(cloud, f"/servers/{uuid}")
    assert listed(cloud, host, "&deleted=true") == {uuid}
    assert set(actions(cloud, uuid)) == {"create", "delete"}


@pytest.mark.parametrize("deleted", [True, False])
def test_nothing_is_left_of_an_archived_server(cloud, deleted):
    """Nova does not know the UUID any more."""
    host = new_name()
    uuid = cloud.server(host=host)
    if deleted:
        cloud.delete_server(uuid)
    cloud.archive_server(uuid)
    assert missing(cloud, f"/servers/{uuid}")
    assert missing(cloud, f"/servers/{uuid}/os-instance-actions")
    assert listed(cloud, host, "&deleted=true") == set()


def test_five_hundred_servers_are_soon_there(cloud):
    """Alike, each with its actions."""
    host = new_name()
    cloud.compute(host)
    uuids = cloud.servers(500, host=host)
    assert listed(cloud, host) == set(uuids)
    assert actions(cloud, uuids[-1]) == ["create"]


def test_a_migration_is_listed_for_both_its_hosts(cloud):
    """With its UUID, status, type and nodes."""
    uuid = cloud.server(host="dest")
    source, dest = new_name(), new_name()
    move = cloud.migration(uuid, source_host=source, dest_host=dest, status="finished", type="resize")
    for host in (source, dest):
        found = migrations(cloud, host)[move]
        assert (found["instance_uuid"], found["status"], found["migration_type"]) == (uuid, "finished", "resize")
        assert (found["source_node"], found["dest_node"]) == (source, dest)


def test_a_migration_changes_its_status(cloud):
    """Confirmed, while the test runs."""
    host = new_name()
    move = cloud.migration(cloud.server(), source_host=host, dest_host="dest")
    cloud.set_migration(move, status="confirmed")
    assert migrations(cloud, host)[move]["status"] == "confirmed"


def test_hidden_and_deleted_migrations_are_not_listed(cloud):
    """The traps of /os-migrations: hidden ones, and those of a server that was deleted."""
    host, uuid = new_name(), cloud.server()
    cloud.migration(uuid, source_host=host, dest_host="dest", hidden=True)
    removed = cloud.migration(uuid, source_host=host, dest_host="dest")
    kept = cloud.migration(uuid, source_host=host, dest_host="dest")
    cloud.delete_migration(removed)
    assert set(migrations(cloud, host)) == {kept}
    cloud.delete_server(uuid)
    assert migrations(cloud, host) == {}


def test_what_nova_refuses_is_an_error_of_the_test(cloud):
    """A typing error in a story must not pass for a state."""
    with pytest.raises(RowsError, match="InstanceNotFound"):
        cloud.set_server(new_uuid(), vm_state="active")


def test_a_cell_that_is_down_hides_its_hosts(cloud):
    """Services and servers of the cell are UNKNOWN or left out, the other cell is as before; then all is back."""
    here, there = cloud.healthy_host(1), cloud.healthy_host(1, cell="cell2")
    with cloud.cell_down():
        assert service(cloud, there.host)["status"] == server(cloud, there.servers[0])["status"] == "UNKNOWN"
        assert statuses(cloud)[there.servers[0]] == "UNKNOWN"
        assert listed(cloud, there.host) == set()  # a list that filters leaves them out
        assert listed(cloud, here.host) == set(here.servers)
        assert service(cloud, here.host)["state"] == "up"
        with pytest.raises(Unexpected, match="500"):
            cloud.nova.get("/os-hypervisors/detail")
    assert (service(cloud, there.host)["state"], server(cloud, there.servers[0])["status"]) == ("up", "ACTIVE")


def test_a_cell_may_fail_for_its_services_alone(cloud):
    """A database that comes and goes: the hypervisors are listed, but not all services."""
    there = cloud.healthy_host(cell="cell2")
    with cloud.cell_down(tables=("services",)):
        assert service(cloud, there.host)["status"] == "UNKNOWN"
        assert cloud.nova.get(f"/os-hypervisors/{cloud.healthy_host().uuid}")
