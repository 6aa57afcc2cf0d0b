"""rollback_recovery: what was is restored, as long as nova-compute has not made its new provider."""

from __future__ import annotations

from typing import Any

import pytest

from placement_recovery.errors import StepFailed
from placement_recovery.plan.case import Request
from placement_recovery.recovery.methods import ROLLBACK
from placement_recovery.recovery.overview import show_one
from placement_recovery.recovery.planning import plan_recovery
from testkit.driving import begin, go_on, roll_back
from testkit.looks import enabled, holdings, lock_traits
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid
from testkit.sampling import sampled

SETTINGS = {"inventories": {"VCPU": 64, "MEMORY_MB": 65536, "DISK_GB": 100, "CUSTOM_LICENCE": 5}}


def carried(cloud: Any, provider: str) -> Any:
    """All that a provider is but its allocations."""
    return (
        cloud.show_provider(provider)["name"],
        cloud.inventories(provider),
        sorted(cloud.traits(provider)),
        sorted(cloud.aggregates(provider)),
    )


@pytest.mark.parametrize("until", sampled(["delete_resource_provider", "delete_allocations"]))
@pytest.mark.parametrize("method", ["preserve", "discard"])
def test_everything_is_as_it_was(cloud, context, method, until):
    """Provider, inventories, traits, aggregates, all allocations and the service, wherever it stopped."""
    stale = cloud.stale_host(
        servers=3, traits=("COMPUTE_NODE", "CUSTOM_RACK_7"), aggregates=(new_uuid(),), **SETTINGS
    )
    leftover = cloud.server(host=stale.host)
    cloud.allocate(leftover, {stale.stale_uuid: ONE_SERVER})
    cloud.delete_server(leftover)
    consumers = [*stale.servers, leftover]
    before, was = holdings(cloud, consumers), carried(cloud, stale.stale_uuid)
    recovery_id = begin(context, stale.host, method)
    go_on(context, recovery_id, until=until)
    roll_back(context, recovery_id)
    assert holdings(cloud, consumers) == before
    assert carried(cloud, stale.stale_uuid) == was
    assert cloud.service(stale.host).items() >= enabled().items()
    assert lock_traits(cloud, recovery_id) == []
    assert context.journal(recovery_id).progress.state == "rolled_back"


def test_a_new_recovery_can_start_afterwards(cloud, context):
    """The fault is back, and so is its cure."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    roll_back(context, recovery_id)
    assert plan_recovery(context, stale.host, Request())[1].state == "ready"


def test_nothing_was_taken_yet(cloud, context):
    """Then only the service and the lock are given back."""
    stale = cloud.stale_host(servers=1)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="disable_compute_service")
    roll_back(context, recovery_id)
    assert holdings(cloud, stale.servers) == before
    assert cloud.service(stale.host).items() >= enabled().items()


@pytest.mark.long
def test_each_step_can_be_run_again(cloud, context):
    """Killed anywhere and started over, or run twice, the end is the same."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    for step in ROLLBACK:
        roll_back(context, recovery_id, until=step.name)
        roll_back(context, recovery_id, until=step.name)
    assert holdings(cloud, stale.servers) == before


def test_a_server_that_was_deleted_meanwhile_is_not_resurrected(cloud, context):
    """Nova's truth holds on the way back as well."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    cloud.delete_server(stale.servers[0])
    roll_back(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {}
    assert cloud.allocations(stale.servers[1]) == {stale.stale_uuid: ONE_SERVER}


@pytest.mark.long
def test_the_name_is_taken(cloud, context):
    """Once the new provider is there the way is forward: it is said, nothing changes, and resuming works."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host):
        go_on(context, recovery_id, until="create_resource_provider")
        with pytest.raises(StepFailed, match=rf"finish forward: .*resume_recovery recovery_id={recovery_id}"):
            roll_back(context, recovery_id)
        go_on(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_there_is_no_going_forward_once_turned_back(cloud, context):
    """What was restored is not taken away again by half a resume; show_recoveries says how to go on."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    roll_back(context, recovery_id, until="restore_resource_provider")
    with pytest.raises(StepFailed, match="is being rolled back"):
        go_on(context, recovery_id)
    assert "rollback_recovery" in show_one(context.store, context.clock, recovery_id)["summary"]
    roll_back(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.stale_uuid: ONE_SERVER}


def test_a_finished_recovery_has_no_way_back(cloud, context):
    """Its new provider is in use."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host):
        go_on(context, recovery_id)
    with pytest.raises(StepFailed, match="no way back"):
        roll_back(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
