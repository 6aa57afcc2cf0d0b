"""Whether the kept fit: our arithmetic, and that Placement's agrees with it."""

from __future__ import annotations

import pytest

from placement_recovery.cloud.model import Inventory
from placement_recovery.plan.capacity import Demand, demands, misfits
from placement_recovery.plan.method import METHODS
from testkit.api import Unexpected
from testkit.cloud import Cloud, new_name
from testkit.placement import ONE_SERVER
from testkit.planner import Planner
from testkit.rows import new_uuid
from testkit.sampling import sampled


def inventory(**fields):
    """One resource class: 10 of it, at ratio 1, unless told otherwise."""
    usual = {"total": 10, "reserved": 0, "min_unit": 1, "max_unit": 10, "step_size": 1, "allocation_ratio": 1.0}
    return Inventory(**{**usual, **fields})


def test_demands_are_summed_by_resource_class():
    """Beside what is offered, also of what is not offered at all."""
    parts = [{"VCPU": 2, "DISK_GB": 1}, {"VCPU": 3}]
    assert demands(parts, {"VCPU": inventory()}) == (Demand("DISK_GB", 1, 0), Demand("VCPU", 5, 10))
    assert [one.fits for one in demands(parts, {"VCPU": inventory()})] == [False, True]


def test_a_class_that_the_provider_does_not_have_is_told():
    """Nothing can be allocated of it."""
    expected = ["DISK_GB: 3 are held, but the provider has no such inventory"]
    assert misfits({"one": {"DISK_GB": 3}}, {}) == expected


def test_each_problem_is_told_once_a_consumer_and_class():
    """The sum, and each part that is out of bounds."""
    tight = inventory(total=4, max_unit=2)
    assert misfits({"b": {"VCPU": 3}, "a": {"VCPU": 2}}, {"VCPU": tight}) == [
        "VCPU: 5 are held, but (4 - 0 reserved) x ratio 1 = 4 can be allocated",
        "VCPU: consumer b holds 3, but max_unit is 2",
    ]


CASES = [
    ({}, [10]), ({}, [5, 5]), ({}, [5, 6]), ({"reserved": 3}, [7]), ({"reserved": 3}, [8]), ({"reserved": 10}, [1]),
    ({"allocation_ratio": 1.55}, [7, 8]), ({"allocation_ratio": 1.55}, [8, 8]), ({"allocation_ratio": 0.99}, [9]),
    ({"allocation_ratio": 0.99}, [10]), ({"max_unit": 4}, [4]), ({"max_unit": 4}, [5]), ({"min_unit": 2}, [1]),
    ({"min_unit": 2}, [2]), ({"step_size": 4}, [8]), ({"step_size": 4}, [6]), ({"min_unit": 2, "step_size": 3}, [2]),
    ({"min_unit": 2, "step_size": 3}, [3]), ({"total": 1, "max_unit": 10, "allocation_ratio": 16.0}, [8, 8]),
]


def placement_takes(cloud, fields, parts):
    """Whether Placement allocates all parts on a new provider with such an inventory."""
    provider = cloud.provider(new_name(), inventories={"VCPU": vars(inventory(**fields))}, traits=())
    owner = {"project_id": "p", "user_id": "u", "consumer_generation": None}
    body = {one: {"allocations": {provider: {"resources": part}}, **owner} for one, part in parts.items()}
    try:
        cloud.placement.call("POST", "/allocations", body)
    except Unexpected as error:
        if error.status != 409:
            raise
        return False
    return True


@pytest.mark.parametrize(("fields", "amounts"), CASES)
def test_placement_agrees(cloud, fields, amounts):
    """What we say fits, Placement takes; what we say does not, it refuses."""
    parts = {new_uuid(): {"VCPU": amount} for amount in amounts}
    assert placement_takes(cloud, fields, parts) == (not misfits(parts, {"VCPU": inventory(**fields)}))


def test_a_host_that_was_reinstalled_smaller_is_refused_with_the_numbers(cloud, planner):
    """Nova knows what its node has now; the stale inventory is of before."""
    held = {"VCPU": 1, "MEMORY_MB": 1024, "DISK_GB": 1}
    plan = planner.plan(cloud.stale_host(servers=3, resources=held, memory_mb=2048).host, method="preserve")
    assert any("MEMORY_MB: 3072 are held" in one for one in plan.refusals)


@pytest.fixture(scope="module")
def old_cloud():
    """Placement 8, which refuses to write what exceeds a provider's capacity also where the write changes nothing."""
    with Cloud(release="26") as cloud:
        yield cloud


@pytest.mark.lab
@pytest.mark.parametrize("method", sampled(METHODS))
def test_a_server_that_an_old_placement_cannot_write_is_refused(old_cloud, method):
    """It was evacuated to a host that is over-committed since, and no part of it can be written without the other."""
    stale, home = old_cloud.stale_host(servers=1), old_cloud.healthy_host(servers=3)
    evacuated = old_cloud.server(host=home.host)
    old_cloud.allocate(evacuated, {stale.stale_uuid: ONE_SERVER, home.uuid: ONE_SERVER})
    old_cloud.shrink(home.uuid, "VCPU", 2)
    plan = Planner(old_cloud).plan(stale.host, method=method)
    assert any(f"consumer {evacuated} also holds provider {home.uuid}" in one for one in plan.refusals)
