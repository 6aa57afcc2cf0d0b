"""Allocations whose owner is gone: on stale providers always, on healthy hosts on request."""

from __future__ import annotations

from testkit.rows import new_uuid

RECOVER = "st2 run placement_recovery.recover_host host="
PART = {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1}


def test_orphans_on_a_stale_provider_are_found(cloud, auditor):
    """A deleted server's goes with the recovery, an unknown consumer's only if that is asked for."""
    host = cloud.stale_host(2)
    cloud.delete_server(host.servers[0])
    unknown = new_uuid()
    cloud.allocate(unknown, {host.stale_uuid: PART})
    assert auditor.of(*host.servers) == [("orphaned_allocation", f"{RECOVER}{host.host}")]
    assert auditor.of(unknown) == [("orphaned_allocation", f"{RECOVER}{host.host} unknown=drop")]


def test_orphans_on_a_healthy_host_are_found_on_request(cloud, auditor):
    """Without deep the report says that it did not look."""
    host = cloud.healthy_host(2)
    cloud.delete_server(host.servers[0])
    unknown = new_uuid()
    cloud.allocate(unknown, {host.uuid: PART})
    assert auditor.of(*host.servers, unknown) == []
    assert any("deep=true" in one for one in auditor.run()["not_looked_at"])
    assert set(auditor.of(*host.servers, unknown, deep=True)) == {
        ("orphaned_allocation", f"openstack resource provider allocation delete {host.servers[0]}"),
        ("orphaned_allocation", f"st2 run placement_recovery.show_allocations consumer={unknown}"),
    }


def test_what_a_moved_server_left_behind_is_taken_away_alone(cloud, auditor):
    """A plain delete would take the part where it lives, too."""
    old, new = cloud.healthy_host(0), cloud.healthy_host(1)
    server = new.servers[0]
    cloud.allocate(server, {old.uuid: PART, new.uuid: PART})
    ((kind, way),) = auditor.of(server, deep=True)
    assert kind == "orphaned_allocation"
    assert way.endswith(f"allocation unset --provider {old.uuid} {server}")


def test_a_resize_that_can_be_reverted_is_no_orphan(cloud, auditor):
    """Its source part is the migration's, until the owner confirms."""
    source, dest = cloud.healthy_host(0), cloud.healthy_host(1)
    server = dest.servers[0]
    cloud.set_server(server, vm_state="resized")
    migration = cloud.migration(server, source_host=source.host, dest_host=dest.host, status="finished", type="resize")
    cloud.allocate(migration, {source.uuid: PART})
    assert auditor.of(migration, server, deep=True) == []


def test_a_move_under_way_is_no_orphan(cloud, auditor):
    """Nova writes allocations itself just now."""
    source, dest = cloud.healthy_host(1), cloud.healthy_host(0)
    server = source.servers[0]
    cloud.set_server(server, task_state="migrating")
    migration = cloud.migration(
        server, source_host=source.host, dest_host=dest.host, status="running", type="live-migration"
    )
    cloud.allocate(migration, {source.uuid: PART})
    cloud.allocate(server, {dest.uuid: PART})
    assert auditor.of(migration, server, deep=True) == []
