"""What does not fit the new provider is not set, and the numbers say why."""

from __future__ import annotations

import pytest

from placement_recovery.errors import CapacityExceeded
from placement_recovery.plan.case import Request
from placement_recovery.recovery.planning import plan_recovery
from testkit.driving import Meddler, begin, go_on, recover, watched
from testkit.looks import disabled_by, enabled
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.rows import new_uuid

HELD = {"VCPU": 8, "MEMORY_MB": 512}


@pytest.fixture
def away(cloud, context):
    """A host that comes back with the given VCPU inventory, three servers of 8 VCPUs away."""

    def begun(vcpu):
        stale = cloud.stale_host(servers=3, resources=HELD)
        recovery_id = begin(context, stale.host)
        inventories = {**NOVA_INVENTORIES, "VCPU": vcpu}
        with cloud.nova_compute(stale.host, interval=0.1, inventories=inventories):
            go_on(context, recovery_id, before="set_allocations")
        return stale, recovery_id

    return begun


def test_too_small_a_host_is_told_with_the_numbers_and_recovers_once_there_is_room(cloud, context, away):
    """Half its processors are gone: nothing is set, the service stays disabled; then the ratio is raised."""
    stale, recovery_id = away({"total": 5, "max_unit": 8})
    with pytest.raises(
        CapacityExceeded, match=r"VCPU: 24 are held, but \(5 - 0 reserved\) x ratio 4 = 20 can be allocated.*Nothing"
    ):
        go_on(context, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == {}
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    found = cloud.inventories(stale.compute_uuid)
    cloud.set_inventories(stale.compute_uuid, {**found, "VCPU": {**found["VCPU"], "total": 6}})
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, HELD)
    assert cloud.service(stale.host) == enabled()


def test_one_that_is_larger_than_the_host_is_told(cloud, context, away):
    """max_unit is what one consumer may hold."""
    stale, recovery_id = away({"total": 16, "max_unit": 4})
    with pytest.raises(CapacityExceeded, match=f"consumer {min(stale.servers)} holds 8, but max_unit is 4"):
        go_on(context, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == {}


def test_what_others_hold_there_already_counts(cloud, context, away):
    """Somebody took the room meanwhile, or takes it in the very moment."""
    stale, recovery_id = away({"total": 6, "max_unit": 8})
    somebody, meddler = new_uuid(), Meddler()
    cloud.allocate(somebody, {stale.compute_uuid: HELD})
    with pytest.raises(CapacityExceeded, match="VCPU: 24 are to be set beside 8 in use, but 24 can be allocated"):
        go_on(context, recovery_id)
    assert set(cloud.provider_allocations(stale.compute_uuid)) == {somebody}
    cloud.allocate(somebody, {})
    meddler.before("POST", "/allocations", lambda: cloud.allocate(somebody, {stale.compute_uuid: HELD}))
    with pytest.raises(CapacityExceeded, match=r"does not take what was saved.*Nothing of the batch was set.*resume"):
        go_on(watched(context, meddler), recovery_id)
    assert set(cloud.provider_allocations(stale.compute_uuid)) == {somebody}


def test_a_plan_that_cannot_fit_is_refused(cloud, context):
    """An over-committed host, whose ratio was lowered after its servers came: nothing is begun."""
    stale = cloud.stale_host(servers=3, resources=HELD)
    found = cloud.inventories(stale.stale_uuid)
    cloud.set_inventories(stale.stale_uuid, {**found, "VCPU": {**found["VCPU"], "allocation_ratio": 1.0}})
    plan = plan_recovery(context, stale.host, Request("preserve"))[1]
    assert plan.state == "refused"
    assert any("VCPU: 24 are held, but (16 - 0 reserved) x ratio 1 = 16" in one for one in plan.refusals)


def test_an_over_committed_provider_elsewhere_does_not_matter(cloud, context):
    """Since Placement 14 a part that stays as it is may exceed its provider's capacity."""
    stale, home = cloud.stale_host(servers=1), cloud.healthy_host(servers=3)
    evacuated = cloud.server(host=home.host)
    cloud.allocate(evacuated, {stale.stale_uuid: ONE_SERVER, home.uuid: ONE_SERVER})
    cloud.shrink(home.uuid, "VCPU", 2)
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host)
    assert cloud.allocations(evacuated) == {home.uuid: ONE_SERVER}
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
