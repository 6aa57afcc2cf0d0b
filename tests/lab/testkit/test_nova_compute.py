"""The stand-in of nova-compute does to Placement what was measured of the real one."""

from __future__ import annotations

import subprocess

from testkit.waiting import wait_until


def free_the_name(cloud, stale):
    """What a recovery does."""
    for server in stale.servers:
        cloud.allocate(server, {})
    cloud.delete_provider(stale.stale_uuid)


def test_it_meets_a_conflict_until_the_name_is_free(cloud):
    """Then its provider appears, with inventories and traits."""
    stale = cloud.stale_host()
    with cloud.nova_compute(stale.host, interval=0.05) as compute:
        wait_until(lambda: compute.conflicts >= 2)
        assert cloud.show_provider(stale.compute_uuid) is None
        free_the_name(cloud, stale)
        wait_until(lambda: cloud.show_provider(stale.compute_uuid) and cloud.traits(stale.compute_uuid))
    assert cloud.find_provider(stale.node) == stale.compute_uuid
    assert cloud.inventories(stale.compute_uuid) == cloud.inventories(cloud.healthy_host().uuid)
    assert cloud.traits(stale.compute_uuid) == {"COMPUTE_NODE"}


def test_it_marks_the_provider_of_a_disabled_service(cloud):
    """And takes the mark away, but nothing else."""
    host = cloud.healthy_host(disabled=True)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", "CUSTOM_OWN"])
    with cloud.nova_compute(host.host, interval=0.05):
        wait_until(lambda: "COMPUTE_STATUS_DISABLED" in cloud.traits(host.uuid))
        cloud.set_service(host.host, disabled=False)
        wait_until(lambda: cloud.traits(host.uuid) == {"COMPUTE_NODE", "CUSTOM_OWN"})


def test_an_inventory_may_come_late(cloud):
    """The provider is there, but not yet with all classes."""
    stale = cloud.stale_host(servers=0)
    cloud.delete_provider(stale.stale_uuid)
    with cloud.nova_compute(stale.host, interval=0.05, without=["DISK_GB"], without_seconds=0.5):
        wait_until(lambda: cloud.show_provider(stale.compute_uuid) and cloud.inventories(stale.compute_uuid))
        assert set(cloud.inventories(stale.compute_uuid)) == {"VCPU", "MEMORY_MB"}
        wait_until(lambda: set(cloud.inventories(stale.compute_uuid)) == {"VCPU", "MEMORY_MB", "DISK_GB"})


def test_it_may_wait_for_a_restart(cloud):
    """Until its restart command runs, as the pack would run it."""
    stale = cloud.stale_host(servers=0)
    cloud.delete_provider(stale.stale_uuid)
    with cloud.nova_compute(stale.host, interval=0.05, only_after_restart=True) as compute:
        assert cloud.show_provider(stale.compute_uuid) is None
        subprocess.run(compute.restart_command, check=True)
        wait_until(lambda: cloud.show_provider(stale.compute_uuid))
        assert compute.restarts == 1


def test_it_may_never_create_a_provider(cloud):
    """A nova-compute that hangs."""
    stale = cloud.stale_host(servers=0)
    cloud.delete_provider(stale.stale_uuid)
    with cloud.nova_compute(stale.host, interval=0.01, never=True) as compute:
        wait_until(lambda: compute.periodics >= 3)
    assert cloud.show_provider(stale.compute_uuid) is None
