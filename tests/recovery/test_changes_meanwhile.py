"""What changes between the plan and the first write: nothing is taken away, all is put back, a new one may start."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple

import pytest

from placement_recovery.errors import (
    CapacityExceeded,
    ConsumerChanged,
    PlacementRecoveryError,
    PlanChanged,
    ProviderInUse,
    RecoveryUnderWay,
    StepFailed,
)
from placement_recovery.plan.case import Request
from placement_recovery.records.journal import unfinished
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.recovery.steps.save_allocations import open_recovery
from testkit.driving import Meddler, begin, go_on, recover, watched
from testkit.looks import enabled, holdings, lock_traits
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.rows import new_uuid
from testkit.sampling import sampled


class Change(NamedTuple):
    """What happens to a host between its plan and the write, and what the write says to it."""

    name: str
    do: Callable[[Any, Any], object]
    error: type
    told: str
    undo: Callable[[Any, Any], object] = lambda cloud, stale: None


def _outgrow(cloud: Any, stale: Any) -> None:
    """Somebody gives the provider more than it was saved with, and a server all of it."""
    cloud.set_inventories(stale.stale_uuid, {**NOVA_INVENTORIES, "VCPU": 9999})
    cloud.allocate(stale.servers[0], {stale.stale_uuid: {"VCPU": 4000}})


CHANGES = (
    Change(
        "what is kept has grown beyond the capacity",
        _outgrow,
        CapacityExceeded, "has grown and would not fit any more: VCPU: 4001 are held",
    ),
    Change(
        "a new consumer came",
        lambda cloud, stale: cloud.allocate(new_uuid(), {stale.stale_uuid: ONE_SERVER}),
        ProviderInUse, "holds provider .* only since the plan was made",
    ),
    Change(
        "a server was deleted, and its allocation is still there",
        lambda cloud, stale: cloud.delete_server(stale.servers[0]),
        ConsumerChanged, "was to keep, but now: .*DELETED in nova",
    ),
    Change(
        "a task is under way",
        lambda cloud, stale: cloud.set_server(stale.servers[0], task_state="image_snapshot"),
        ConsumerChanged, "was to keep, but now: task image_snapshot is under way",
        lambda cloud, stale: cloud.set_server(stale.servers[0], task_state=None),
    ),
    Change(
        "a move began",
        lambda cloud, stale: cloud.migration(
            stale.servers[0], source_host=stale.host, dest_host="other", status="preparing", type="live-migration"
        ),
        ConsumerChanged, "live-migration from .* is preparing",
        lambda cloud, stale: cloud.delete_server(stale.servers[0]),
    ),
    Change(
        "the host was fenced",
        lambda cloud, stale: cloud.set_service(stale.host, forced_down=True),
        StepFailed, "is forced down now; nothing is taken away",
        lambda cloud, stale: cloud.set_service(stale.host, forced_down=False),
    ),
    Change(
        "the service died",
        lambda cloud, stale: cloud.set_service(stale.host, up=False),
        StepFailed, "is down now; nothing is taken away",
        lambda cloud, stale: cloud.set_service(stale.host, up=True),
    ),
    Change(
        "a second nova-compute reports the node's name",
        lambda cloud, stale: cloud.compute(f"{stale.host}-2", stale.node),
        StepFailed, "no longer proven to be stale.*give one of the nodes another name",
        lambda cloud, stale: cloud.delete_compute(f"{stale.host}-2"),
    ),
    Change(
        "nova knows the provider's UUID again",
        lambda cloud, stale: cloud.compute(f"{stale.host}-3", f"{stale.host}-3", uuid=stale.stale_uuid),
        StepFailed, "no longer proven to be stale",
        lambda cloud, stale: cloud.delete_compute(f"{stale.host}-3"),
    ),
    Change(
        "somebody enabled the service",
        lambda cloud, stale: cloud.set_service(stale.host, disabled=False, disabled_reason=None),
        StepFailed, "somebody enabled the compute service",
    ),
    Change(
        "somebody took the lock away",
        lambda cloud, stale: cloud.set_traits(stale.stale_uuid, ["COMPUTE_NODE"]),
        RecoveryUnderWay, "does not bear the lock",
    ),
)


@pytest.mark.parametrize("change", sampled(CHANGES, 5), ids=lambda change: change.name)
def test_nothing_is_taken_away_and_a_new_recovery_can_start(cloud, context, change):
    """The service is enabled, no lock is left, the recovery is abandoned, and the next plan is not in its way."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="disable_compute_service")
    change.do(cloud, stale)
    before = _held_here(cloud, stale)
    with pytest.raises(change.error, match=f"delete_allocations: .*{change.told}.*nothing was taken away") as caught:
        run_step(context, recovery_id, "delete_allocations")
    assert f"recovery {recovery_id} is closed" in str(caught.value)
    assert _held_here(cloud, stale) == before
    assert context.journal(recovery_id).progress.state == "abandoned"
    assert lock_traits(cloud, recovery_id) == []
    change.undo(cloud, stale)
    assert cloud.service(stale.host) == enabled()
    assert unfinished(context.store, stale.host) == ()


def _held_here(cloud: Any, stale: Any) -> Dict[str, Any]:
    return holdings(cloud, cloud.provider_allocations(stale.stale_uuid))


@pytest.mark.long
def test_after_an_abandoned_recovery_a_new_one_ends_well(cloud, context):
    """The whole story once: a consumer comes in the very moment, and is part of the next plan."""
    stale, meddler, newcomer = cloud.stale_host(servers=2), Meddler(), new_uuid()
    meddler.after("PUT", "/os-services", lambda: cloud.allocate(newcomer, {stale.stale_uuid: ONE_SERVER}))
    with pytest.raises(ProviderInUse, match="nothing was taken away"):
        recover(watched(context, meddler), stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host)
    assert cloud.allocations(newcomer) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_a_provider_in_use_again_is_not_deleted(cloud, context):
    """Somebody allocated on it right after it was emptied: the record says how to go on, and resuming does."""
    stale, meddler, newcomer = cloud.stale_host(servers=1), Meddler(), new_uuid()
    recovery_id = begin(context, stale.host)
    meddler.after("POST", "/allocations", lambda: cloud.allocate(newcomer, {stale.stale_uuid: ONE_SERVER}))
    with pytest.raises(ProviderInUse, match=f"in use again, by consumer {newcomer}.*go on with '.*{recovery_id}'"):
        go_on(watched(context, meddler), recovery_id)
    _check_stands_still(cloud, context, stale, recovery_id)
    with pytest.raises(ProviderInUse, match="not saved, so nothing is taken away"):
        go_on(context, recovery_id)
    cloud.allocate(newcomer, {})
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_a_provider_that_is_used_in_the_very_moment_is_not_deleted(cloud, context):
    """Placement refuses its delete; the newcomer keeps what it holds."""
    stale, meddler, newcomer = cloud.stale_host(servers=1), Meddler(), new_uuid()
    recovery_id = begin(context, stale.host)
    meddler.before("DELETE", "/resource_providers", lambda: cloud.allocate(newcomer, {stale.stale_uuid: ONE_SERVER}))
    with pytest.raises(ProviderInUse, match=f"delete_resource_provider: .*{newcomer}"):
        go_on(watched(context, meddler), recovery_id)
    assert cloud.allocations(newcomer) == {stale.stale_uuid: ONE_SERVER}
    _check_stands_still(cloud, context, stale, recovery_id)


def _check_stands_still(cloud: Any, context: Any, stale: Any, recovery_id: str) -> None:
    """After the first write the service stays disabled, the lock stays, and the recovery is open."""
    assert cloud.service(stale.host)["disabled"]
    assert lock_traits(cloud, recovery_id) != []
    assert context.journal(recovery_id).progress.state == "open"


def test_an_empty_provider_that_is_used_in_the_very_moment_leaves_nothing_begun(cloud, context):
    """Nobody had anything that could be taken away, so all is put back."""
    stale, meddler, newcomer = cloud.stale_host(servers=0), Meddler(), new_uuid()
    recovery_id = begin(context, stale.host)
    meddler.before("DELETE", "/resource_providers", lambda: cloud.allocate(newcomer, {stale.stale_uuid: ONE_SERVER}))
    with pytest.raises(ProviderInUse, match="nothing was taken away"):
        go_on(watched(context, meddler), recovery_id)
    assert cloud.allocations(newcomer) == {stale.stale_uuid: ONE_SERVER}
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_a_digest_that_is_not_that_of_the_plan_now_opens_nothing(cloud, context):
    """What was approved is what is done."""
    stale = cloud.stale_host(servers=1)
    plan = plan_recovery(context, stale.host, Request())[1]
    cloud.allocate(new_uuid(), {stale.stale_uuid: ONE_SERVER})
    for digest in (plan.digest, "", "000000", plan.digest[:5]):
        with pytest.raises(PlanChanged, match=f"{stale.host} is not recovered"):
            open_recovery(context, stale.host, Request(approve=digest), "tester")
    assert context.store.ids("saved") == ()


def test_a_host_that_is_well_opens_nothing(cloud, context):
    """Nor one that nobody knows."""
    for host in (cloud.healthy_host(servers=1).host, "no-such-host"):
        with pytest.raises(PlacementRecoveryError, match=r"is healthy|nova knows no compute host"):
            open_recovery(context, host, Request(approve="000000"), "tester")
    assert context.store.ids("saved") == ()
