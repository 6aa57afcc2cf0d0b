"""The end is judged by what Nova and Placement say, not by what was written."""

from __future__ import annotations

import pytest

from placement_recovery.errors import VerificationFailed
from placement_recovery.recovery.engine import run_step
from testkit.driving import begin, go_on, open_hasty
from testkit.looks import disabled_by
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid


@pytest.fixture(scope="module")
def recovered(cloud):
    """A host where all is set, and only the verification is left."""
    stale, other = cloud.stale_host(servers=2), cloud.healthy_host()
    spread = cloud.server(host=stale.host)
    cloud.allocate(spread, {stale.stale_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}})
    context = open_hasty(cloud.config(provider_wait=60))
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="verify_recovery")
    return context, recovery_id, stale, spread, other


def verify(story):
    """Run the step."""
    return run_step(story[0], story[1], "verify_recovery")


def test_another_amount_on_the_new_provider_is_no_success(cloud, recovered):
    """Somebody changed it: both amounts are told, and the service stays disabled."""
    _, recovery_id, stale, _, _ = recovered
    changed = stale.servers[0]
    cloud.allocate(changed, {stale.compute_uuid: {"VCPU": 3}})
    told = f"{changed} should hold DISK_GB=1 MEMORY_MB=512 VCPU=1 on {stale.compute_uuid}, but holds VCPU=3"
    with pytest.raises(VerificationFailed, match=f"1 consumer.* of {stale.host} are not as planned: {told}"):
        verify(recovered)
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    cloud.allocate(changed, {stale.compute_uuid: ONE_SERVER})
    assert verify(recovered).state == "open"


def test_an_allocation_that_is_missing_is_no_success(cloud, recovered):
    """A resume sets it again."""
    context, recovery_id, stale, _, _ = recovered
    cloud.allocate(stale.servers[1], {})
    with pytest.raises(VerificationFailed, match=f"{stale.servers[1]} should hold .* but holds nothing.*resume"):
        verify(recovered)
    go_on(context, recovery_id, until="verify_recovery")
    assert cloud.allocations(stale.servers[1]) == {stale.compute_uuid: ONE_SERVER}


def test_a_lost_part_on_another_provider_is_no_success(cloud, recovered):
    """Not by us, but worth a look."""
    _, _, stale, spread, other = recovered
    cloud.allocate(spread, {stale.compute_uuid: ONE_SERVER})
    with pytest.raises(VerificationFailed, match=f"{spread} should hold DISK_GB=7 on {other.uuid}, but holds nothing"):
        verify(recovered)
    cloud.allocate(spread, {stale.compute_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 6}})
    with pytest.raises(VerificationFailed, match=f"should hold DISK_GB=7 on {other.uuid}, but holds DISK_GB=6"):
        verify(recovered)
    cloud.allocate(spread, {stale.compute_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}})
    assert verify(recovered).state == "open"


def test_a_host_that_is_not_healthy_is_no_success(cloud, recovered):
    """Its compute node has another UUID than its provider once more."""
    _, _, stale, _, _ = recovered
    cloud.set_compute_node(stale.host, uuid=new_uuid())
    with pytest.raises(VerificationFailed, match=f"{stale.host} is not healthy after recovery"):
        verify(recovered)
    cloud.set_compute_node(stale.host, uuid=stale.compute_uuid)
    assert "is healthy; consumers: 3 kept" in verify(recovered).summary


def test_many_differences_are_counted_and_the_first_ones_shown(cloud, recovered):
    """A message that a person can read."""
    context, recovery_id, stale, spread, other = recovered
    for server in (*stale.servers, spread):
        cloud.allocate(server, {other.uuid: {"DISK_GB": 7}})
    with pytest.raises(VerificationFailed, match=r"^verify_recovery: 3 consumer"):
        verify(recovered)
    go_on(context, recovery_id, until="verify_recovery")
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}}


def test_what_was_kept_skipped_and_given_up_is_counted(cloud, context):
    """Once each: who was deleted in the gap was not kept."""
    stale, home = cloud.stale_host(servers=3), cloud.healthy_host()
    moved = cloud.server(host=home.host)
    cloud.allocate(moved, {stale.stale_uuid: ONE_SERVER, home.uuid: ONE_SERVER})
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    cloud.delete_server(stale.servers[0])
    with cloud.nova_compute(stale.host, interval=0.1):
        told = go_on(context, recovery_id)[-2].summary
    assert "consumers: 2 kept, 1 skipped, because their owners deleted or moved them meanwhile, 1 given up" in told
