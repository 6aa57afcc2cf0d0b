"""What operators and their tools do while a host's allocations are away, and how the recovery comes out of it."""

from __future__ import annotations

import pytest

from placement_recovery.errors import StepFailed
from placement_recovery.recovery.engine import run_step
from testkit.api import Unexpected
from testkit.driving import begin, go_on
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid


def test_a_service_that_is_enabled_while_the_host_looks_empty_stops_the_recovery(cloud, context):
    """The scheduler fills the host meanwhile."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="wait_for_resource_provider")
        cloud.set_service(stale.host, disabled=False, disabled_reason=None)
        with pytest.raises(StepFailed, match="enabled"):
            run_step(context, recovery_id, "wait_for_resource_provider")


def test_a_server_of_which_a_refused_write_left_a_consumer_is_set(cloud, context):
    """Placement keeps a consumer of generation 0 then, which it does not show."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="set_allocations")
        with pytest.raises(Unexpected, match="400"):
            cloud.allocate(stale.servers[0], {new_uuid(): ONE_SERVER})
        go_on(context, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)


def test_a_server_that_was_healed_with_other_amounts_does_not_hold_up_the_end(cloud, context):
    """heal_allocations goes by the flavor, which is not what the server held."""
    stale = cloud.stale_host(servers=2, resources={**ONE_SERVER, "VCPU": 2})
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="set_allocations")
        cloud.allocate(stale.servers[0], {stale.compute_uuid: ONE_SERVER})
        go_on(context, recovery_id)
    assert context.journal(recovery_id).progress.state == "finished"


def test_a_host_that_was_made_anew_is_left_alone(cloud, context):
    """Another installation's host of the same name, with a provider of its own, gets nothing of what was saved."""
    stale = cloud.stale_host(servers=1, traits=("COMPUTE_NODE", "CUSTOM_RACK_7"), aggregates=(new_uuid(),))
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    cloud.delete_compute(stale.host)
    cloud.provider(stale.node, cloud.compute(stale.host))
    mark = cloud.placement_mark()
    with pytest.raises(StepFailed, match=f"the compute service of {stale.host} is gone"):
        go_on(context, recovery_id)
    assert cloud.placement_writes_since(mark) == []
