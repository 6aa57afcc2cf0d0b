"""What others set on the stale provider, and what went with it, is on the new one again."""

from __future__ import annotations

import pytest

from testkit.cloud import new_name
from testkit.driving import begin, go_on, open_hasty, recover
from testkit.placement import NOVA_INVENTORIES
from testkit.rows import new_uuid

RATIO = {**NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16, "reserved": 2, "allocation_ratio": 16.0}}
LICENCE = {"total": 7, "reserved": 1, "min_unit": 1, "max_unit": 3, "step_size": 1, "allocation_ratio": 2.0}
OWN = "CUSTOM_RECOVERY_TEST_OWN"


@pytest.fixture(scope="module")
def story(cloud):
    """A host whose servers fit by the ratio that was set through the API only; half of them with a custom class."""
    aggregates = {new_uuid(), new_uuid()}
    stale = cloud.stale_host(
        servers=14, inventories={**RATIO, "CUSTOM_LICENCE": LICENCE}, traits=["COMPUTE_NODE", "HW_CPU_X86_VMX", OWN],
        aggregates=aggregates, resources={"VCPU": 12, "MEMORY_MB": 64},
    )
    licensed = cloud.server(host=stale.host)
    cloud.allocate(licensed, {stale.stale_uuid: {"VCPU": 1, "CUSTOM_LICENCE": 3}})
    context = open_hasty(cloud.config(provider_wait=60))
    with cloud.nova_compute(stale.host, interval=0.1):
        recovery_id = begin(context, stale.host)
        go_on(context, recovery_id, until="create_resource_provider")
        others = new_uuid()
        cloud.set_aggregates(stale.compute_uuid, [others])
        results = go_on(context, recovery_id)
    return stale, licensed, aggregates | {others}, results


def test_custom_traits_come_back_beside_novas(cloud, story):
    """The new root bears them all; what nova-compute reports is its own business from then on."""
    assert cloud.traits(story[0].compute_uuid) >= {"COMPUTE_NODE", OWN}


def test_aggregates_come_back_beside_those_that_came_meanwhile(cloud, story):
    """Availability zones depend on them."""
    assert cloud.aggregates(story[0].compute_uuid) == story[2]


def test_ratio_and_reserved_come_back(cloud, story):
    """As they were set through Placement's API."""
    found = cloud.inventories(story[0].compute_uuid)["VCPU"]
    assert (found["allocation_ratio"], found["reserved"]) == (16.0, 2)


def test_a_custom_inventory_class_comes_back_whole(cloud, story):
    """nova-compute does not make it."""
    assert cloud.inventories(story[0].compute_uuid)["CUSTOM_LICENCE"] == LICENCE


def test_what_fits_by_the_restored_ratio_only_is_set(cloud, story):
    """14 servers of 12 VCPUs on 16 CPUs; and what holds the custom class."""
    held = cloud.provider_allocations(story[0].compute_uuid)
    assert len(held) == 15
    assert held[story[1]] == {"VCPU": 1, "CUSTOM_LICENCE": 3}


def test_the_step_says_what_it_brought_back(story):
    """When it runs again, what others took away meanwhile."""
    (created,) = (one.summary for one in story[3] if "carries the stale one's settings" in one.summary)
    assert created.endswith("is there already and carries the stale one's settings (aggregates)")


def test_a_standard_trait_that_an_operator_set_comes_back(cloud, context):
    """nova-compute does not report it."""
    stale = cloud.stale_host(servers=0, traits=("COMPUTE_NODE", "STORAGE_DISK_SSD"))
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host)
    assert "STORAGE_DISK_SSD" in cloud.traits(stale.compute_uuid)


@pytest.mark.parametrize("method", ["preserve", "discard"])
def test_aggregates_that_nova_knows_follow_nova(cloud, context, method):
    """The host was taken out of one after the fault: nova's list of hosts counts, not the stale provider."""
    unknown = new_uuid()
    known = cloud.nova.call("POST", "/os-aggregates", {"aggregate": {"name": new_name()}})["aggregate"]["uuid"]
    stale = cloud.stale_host(servers=0, aggregates=(unknown, known))
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host, method)
    assert cloud.aggregates(stale.compute_uuid) == {unknown}
