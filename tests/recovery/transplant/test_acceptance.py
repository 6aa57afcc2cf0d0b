"""Not accepted in time: it can be resumed, the service stays disabled, and the causes are named as far as they show."""

from __future__ import annotations

import pytest

from placement_recovery.errors import ProviderNotReady
from testkit.driving import begin, go_on, open_hasty
from testkit.looks import disabled_by, enabled
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER

LICENCES = {**NOVA_INVENTORIES, "CUSTOM_LICENCE": 5}


@pytest.fixture
def waiting(cloud):
    """Recover a host until nova-compute was waited for in vain; what is told."""
    context = open_hasty(cloud.config(late_write_wait=0, acceptance_wait=4, refresh_wait=60))

    def run(stale, then=lambda: None):
        recovery_id = begin(context, stale.host, "transplant")
        go_on(context, recovery_id, until="move_allocations")
        then()
        with pytest.raises(ProviderNotReady) as told:
            go_on(context, recovery_id)
        return context, recovery_id, str(told.value)

    return run


def test_nova_compute_that_has_not_looked_yet(cloud, waiting, finish):
    """All allocations are on the new root; once nova-compute looks, the resume ends well."""
    stale = cloud.stale_host(servers=1)
    context, recovery_id, told = waiting(stale)
    assert f"after 4 s nova-compute on {stale.host} has not accepted its provider {stale.compute_uuid} yet" in told
    assert "has not looked at it yet (see that it runs, and update_resources_interval in its nova.conf)" in told
    assert f"resume_recovery recovery_id={recovery_id}" in told
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
    assert context.journal(recovery_id).progress.state == "open"
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.service(stale.host) == enabled()


def test_a_host_with_children_of_novas_is_waited_for_until_its_cache_is_refreshed(cloud, waiting):
    """nova-compute may have looked before they were below its root; others' children are nothing to it."""
    stale, theirs = cloud.stale_host(servers=1), cloud.stale_host(servers=1)
    cloud.provider(f"{stale.node}_pci_0000_84_00_0", parent=stale.stale_uuid, inventories={"VGPU": 4}, traits=())
    cloud.provider(f"{theirs.node}:agent", parent=theirs.stale_uuid, inventories={}, traits=())
    told = waiting(stale)[2]
    assert f"after 64 s nova-compute on {stale.host}" in told
    assert "may have looked at its root before the children were below it" in told
    told = waiting(theirs)[2]
    assert f"after 4 s nova-compute on {theirs.host}" in told
    assert "children" not in told


def test_a_class_in_use_that_the_host_may_not_report_any_more(cloud, waiting):
    """nova-compute may die of it at its next start, so that is said before anybody restarts it."""
    stale = cloud.stale_host(servers=1, inventories=LICENCES, resources={**ONE_SERVER, "CUSTOM_LICENCE": 1})
    told = waiting(stale)[2]
    assert "CUSTOM_LICENCE are in use" in told
    assert "may fail at its next start, so do not restart it" in told


def test_nova_compute_that_looked_and_wrote_but_did_not_accept(cloud, waiting):
    """Then it is not said that it has not looked."""
    stale = cloud.stale_host(servers=1)
    changed = {**NOVA_INVENTORIES, "DISK_GB": {"total": 999, "max_unit": 999}}
    told = waiting(stale, then=lambda: cloud.set_inventories(stale.compute_uuid, changed))[2]
    assert "has not looked at it yet" not in told
    assert "nova-compute's log on the host shows why" in told


def test_nothing_is_deleted_before(cloud, waiting):
    """Until it has accepted, all can be taken back."""
    stale = cloud.stale_host(servers=1)
    recovery_id = waiting(stale)[1]
    assert cloud.show_provider(stale.stale_uuid)["name"] == f"{stale.node}.stale-{recovery_id}"
