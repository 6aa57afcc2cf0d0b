"""An over-committed host: the new root is widened for the move and narrowed after it, and the record says to what."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from placement_recovery.errors import CapacityExceeded, StepFailed
from placement_recovery.recovery.engine import run_step
from testkit.cloud import new_name
from testkit.driving import Killed, Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import disabled_by, holdings, moved
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.sampling import sampled

HELD = {"VCPU": 8, "MEMORY_MB": 1024, "DISK_GB": 10, "CUSTOM_LEAST": 1, "CUSTOM_STEP": 3, "CUSTOM_ROOMY": 1}
WIDE = {name: {"total": 100000, "max_unit": 100000} for name in HELD}
NARROW = {
    "VCPU": {"total": 16, "max_unit": 16, "allocation_ratio": 1.0},  # 24 are held
    "MEMORY_MB": {"total": 65536, "max_unit": 65536, "reserved": 65536},
    "DISK_GB": {"total": 1028, "max_unit": 4},
    "CUSTOM_LEAST": {"total": 10, "max_unit": 10, "min_unit": 2},
    "CUSTOM_STEP": {"total": 10, "max_unit": 10, "step_size": 2},
    "CUSTOM_ROOMY": {"total": 10, "max_unit": 10},
}


@pytest.fixture
def crowded(cloud):
    """A host that over-commits each class in another way, but one; and what it offers."""
    stale = cloud.stale_host(servers=3, inventories=WIDE, resources=HELD)
    cloud.set_inventories(stale.stale_uuid, NARROW)
    return stale, cloud.inventories(stale.stale_uuid)


def assert_moved(cloud: Any, stale: Any, before: Dict[str, Any], offered: Dict[str, Any]) -> None:
    """All hold the new root, which offers what the stale one did."""
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.inventories(stale.compute_uuid) == offered


def test_ratio_reserved_and_units_are_as_they_were(cloud, context, finish, crowded):
    """Only what does not fit is widened, and nothing stays so."""
    stale, offered = crowded
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    assert_moved(cloud, stale, before, offered)
    journal = finish(context, stale, recovery_id)
    assert set(journal.progress.widened) == set(HELD) - {"CUSTOM_ROOMY"}
    assert_moved(cloud, stale, before, offered)


@pytest.mark.parametrize("moment", sampled(["after", "before"]))
def test_a_kill_between_widening_and_narrowing_loses_no_target(cloud, context, finish, crowded, moment):
    """The record says what it was, not what stands."""
    (stale, offered), meddler = crowded, Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    getattr(meddler, moment)("POST", "/allocations", Killed.die)
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, "move_allocations")
    assert cloud.inventories(stale.compute_uuid) != offered
    finish(context, stale, recovery_id)
    assert_moved(cloud, stale, before, offered)


def test_nova_narrows_between_widening_and_the_write(cloud, context, finish, crowded):
    """Placement refuses the write; it is widened and written again."""
    (stale, offered), meddler = crowded, Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    for _ in range(2):
        meddler.before("POST", "/allocations", lambda: cloud.set_inventories(stale.compute_uuid, NARROW))
    run_step(watched(context, meddler), recovery_id, "move_allocations")
    finish(context, stale, recovery_id)
    assert_moved(cloud, stale, before, offered)


@pytest.mark.long
def test_somebody_who_narrows_all_the_time_is_told_of_and_nothing_is_lost(cloud, context, finish, crowded):
    """All hold the stale root as before; the resume moves them."""
    (stale, offered), meddler = crowded, Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")

    def narrow():
        cloud.set_inventories(stale.compute_uuid, NARROW)
        meddler.before("POST", "/allocations", narrow)

    meddler.before("POST", "/allocations", narrow)
    with pytest.raises(CapacityExceeded, match=r"though it was widened.*They hold the stale root.*resume"):
        run_step(watched(context, meddler), recovery_id, "move_allocations")
    assert holdings(cloud, stale.servers) == before
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    finish(context, stale, recovery_id)
    assert_moved(cloud, stale, before, offered)


@pytest.mark.long
def test_what_nova_writes_meanwhile_stays_and_the_widened_ratio_does_not(cloud, context, finish):
    """The host was given more memory; nova-compute keeps the ratio that it finds."""
    stale = cloud.stale_host(servers=3, resources={"VCPU": 8, "MEMORY_MB": 512})
    cloud.set_inventories(stale.stale_uuid, {**NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16}})
    new, meddler = stale.compute_uuid, Meddler()

    def periodic():
        found = cloud.inventories(new)
        assert found["VCPU"]["allocation_ratio"] > 1
        cloud.set_inventories(new, {**found, "MEMORY_MB": {**found["MEMORY_MB"], "total": 131072, "max_unit": 131072}})

    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    meddler.after("POST", "/allocations", periodic)
    run_step(watched(context, meddler), recovery_id, "move_allocations")
    finish(context, stale, recovery_id)
    found = cloud.inventories(new)
    assert (found["VCPU"]["total"], found["VCPU"]["allocation_ratio"]) == (16, 1.0)
    assert found["MEMORY_MB"]["total"] == 131072


@pytest.mark.long
def test_the_wide_inventories_that_nova_writes_back_late_are_narrowed_before_the_service_is_enabled(
    cloud, context, finish, crowded
):
    """It had read them during the move."""
    (stale, offered), meddler, wide = crowded, Meddler(), {}
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    meddler.before("POST", "/allocations", lambda: wide.update(cloud.inventories(stale.compute_uuid)))
    run_step(watched(context, meddler), recovery_id, "move_allocations")
    assert wide != offered
    cloud.set_inventories(stale.compute_uuid, wide)
    with cloud.nova_compute(stale.host, interval=0.1):
        for step in ("wait_for_nova_compute", "delete_resource_provider", "verify_recovery", "close_recovery"):
            run_step(context, recovery_id, step)
    assert_moved(cloud, stale, before, offered)


@pytest.mark.long
def test_a_server_that_would_not_fit_is_moved_by_batches_of_one_too(cloud, finish):
    """It is widened for all that is to come, not for the batch."""
    context = open_hasty(cloud.config(late_write_wait=0, batch_size=1))
    stale = cloud.stale_host(servers=3, inventories=WIDE, resources=HELD)
    cloud.set_inventories(stale.stale_uuid, NARROW)
    before, offered = holdings(cloud, stale.servers), cloud.inventories(stale.stale_uuid)
    finish(context, stale, begin(context, stale.host, "transplant"))
    assert_moved(cloud, stale, before, offered)


@pytest.mark.long
def test_a_rollback_that_turns_forward_again_leaves_nothing_wide(cloud, finish):
    """The stale root is widened otherwise than the new one, for what is left over comes back to it too."""
    context, meddler = open_hasty(cloud.config(late_write_wait=0, batch_size=1)), Meddler()
    stale = cloud.stale_host(servers=5, resources={"VCPU": 8, "MEMORY_MB": 512})
    for server in stale.servers[:2]:
        cloud.delete_server(server)
    cloud.set_inventories(stale.stale_uuid, {**NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16}})
    offered = cloud.inventories(stale.stale_uuid)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    meddler.after("POST", "/allocations", Killed.die)
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, "move_allocations")
    roll_back(context, recovery_id, until="return_allocations")
    cloud.set_traits(stale.compute_uuid, {*cloud.traits(stale.compute_uuid), "COMPUTE_NODE"})
    with pytest.raises(StepFailed, match="finish forward"):
        roll_back(context, recovery_id)
    finish(context, stale, recovery_id)
    assert cloud.inventories(stale.compute_uuid) == offered


@pytest.mark.long
def test_an_over_committed_provider_elsewhere_does_not_matter(cloud, context, finish):
    """Since Placement 14 a part that stays as it is may exceed its provider's capacity."""
    stale, foreign = cloud.stale_host(servers=1), cloud.provider(new_name(), inventories={"DISK_GB": 100}, traits=())
    spread = cloud.server(host=stale.host)
    cloud.allocate(spread, {stale.stale_uuid: ONE_SERVER, foreign: {"DISK_GB": 60}})
    cloud.set_inventories(foreign, {"DISK_GB": {"total": 100, "reserved": 50}})
    finish(context, stale, begin(context, stale.host, "transplant"))
    assert cloud.allocations(spread) == {stale.compute_uuid: ONE_SERVER, foreign: {"DISK_GB": 60}}
