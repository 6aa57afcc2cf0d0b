"""rollback_recovery of a transplant: exact in Placement, row by row, until nova-compute has accepted the new root."""

from __future__ import annotations

from typing import Any, NamedTuple, Tuple

import pytest

from placement_recovery.errors import PlacementRecoveryError, StepFailed
from placement_recovery.plan.case import Request
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.methods import ROLLBACK
from placement_recovery.recovery.planning import plan_recovery
from testkit.driving import Killed, Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import disabled_by, enabled, lock_traits
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.placement_tables import placement_tables
from testkit.rows import new_uuid
from testkit.sampling import sampled

BIG = {"VCPU": 8, "MEMORY_MB": 512, "DISK_GB": 1}
STEPS = ("disable_compute_service", "replace_resource_provider", "copy_provider_settings", "move_allocations")


class Rich(NamedTuple):
    """A host with all that a rollback must give back; `consumers` hold its stale root."""

    stale: Any
    consumers: Tuple[str, ...]


@pytest.fixture
def rich(cloud):
    """Over-committed, with reserved, a class and traits of its own, aggregates, a typed consumer of another owner."""
    sharing = cloud.provider(f"share-{new_uuid()}", inventories={"DISK_GB": 100}, traits=())
    inventories = {
        **NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16, "reserved": 2, "allocation_ratio": 4.0},
        "CUSTOM_LICENCE": {"total": 5, "max_unit": 2},
    }
    stale = cloud.stale_host(
        servers=2, resources=BIG, inventories=inventories, aggregates=(new_uuid(), sharing),
        traits=("COMPUTE_NODE", "HW_CPU_X86_VMX", "CUSTOM_RACK_7"),
    )
    spread, deleted, stranger = cloud.server(host=stale.host), cloud.server(host=stale.host), new_uuid()
    cloud.allocate(
        spread, {stale.stale_uuid: {**BIG, "CUSTOM_LICENCE": 2}, sharing: {"DISK_GB": 9}}, project="other-project",
        user="other-user", consumer_type="INSTANCE",
    )
    for one in (deleted, stranger):
        cloud.allocate(one, {stale.stale_uuid: ONE_SERVER})
    cloud.delete_server(deleted)
    narrow = {**inventories["VCPU"], "max_unit": 4, "step_size": 3, "allocation_ratio": 1.0}
    cloud.set_inventories(stale.stale_uuid, {**inventories, "VCPU": narrow})
    return Rich(stale, (*stale.servers, spread, deleted, stranger))


@pytest.mark.parametrize("until", sampled(reversed(STEPS)))
def test_all_is_as_it_was_after_each_step(cloud, context, rich, until):
    """In every row of Placement's; the service is given back, no lock is left, and the fault can be planned again."""
    before = placement_tables(cloud)
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until=until)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
    assert lock_traits(cloud, recovery_id) == []
    assert cloud.service(rich.stale.host).items() >= enabled().items()
    assert context.journal(recovery_id).progress.state == "rolled_back"
    assert plan_recovery(context, rich.stale.host, Request("transplant"))[1].state == "ready"


KILLS = (
    ("after the rename", "replace_resource_provider", "PUT", "/resource_providers", 0),
    ("after the new root was made", "replace_resource_provider", "POST", "/resource_providers", 0),
    ("after its first traits", "replace_resource_provider", "PUT", "/traits", 0),
    ("after the inventories were widened", "move_allocations", "PUT", "/inventories", 0),
    ("after one consumer was moved", "move_allocations", "POST", "/allocations", 0),
    ("before the inventories were narrowed", "move_allocations", "POST", "/allocations", 4),
)


@pytest.mark.parametrize("point", sampled(reversed(KILLS), 2), ids=lambda one: one[0].replace(" ", "-"))
def test_all_is_as_it_was_after_a_kill_within_a_step(cloud, rich, point):
    """One consumer a transaction, so that the move stops halfway."""
    context, meddler = open_hasty(cloud.config(late_write_wait=0, batch_size=1)), Meddler()
    before = placement_tables(cloud)
    _, step, method, path, passing = point
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, before=step)
    meddler.after(method, path, Killed.die, passing)
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, step)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
    assert cloud.service(rich.stale.host).items() >= enabled().items()


@pytest.mark.long
def test_a_rollback_can_be_killed_at_any_write_and_run_again(cloud, rich):
    """However often; each time one more write is carried out."""
    context, before = open_hasty(cloud.config(late_write_wait=0, batch_size=2)), placement_tables(cloud)
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    for method, path in (("PUT", "/inventories"), ("POST", "/allocations"), ("POST", "/allocations"),
                         ("PUT", rich.stale.compute_uuid), ("PUT", f"/resource_providers/{rich.stale.stale_uuid}"),
                         ("DELETE", "/resource_providers"), ("PUT", "/os-services")):
        meddler = Meddler()
        meddler.after(method, path, Killed.die)
        with pytest.raises(Killed):
            roll_back(watched(context, meddler), recovery_id)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
    assert cloud.service(rich.stale.host).items() >= enabled().items()


@pytest.mark.long
def test_each_of_its_steps_twice_is_the_same_as_once(cloud, context, rich):
    """And the whole again once it has ended."""
    before = placement_tables(cloud)
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    for step in ROLLBACK:
        roll_back(context, recovery_id, until=step.name)
        roll_back(context, recovery_id, until=step.name)
    assert placement_tables(cloud) == before


def test_a_kept_server_is_never_without_its_allocation(cloud, rich):
    """Looked at after every write of the way back."""
    context, meddler, seen = open_hasty(cloud.config(late_write_wait=0, batch_size=1)), Meddler(), []
    kept = [one for one in rich.consumers if one != rich.consumers[3]]
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")

    def look():
        seen.append(all(cloud.allocations(one) for one in kept))
        meddler.after("POST", "/allocations", look)

    meddler.after("POST", "/allocations", look)
    roll_back(watched(context, meddler), recovery_id)
    assert len(seen) == len(rich.consumers)
    assert all(seen)


def test_a_server_that_was_deleted_meanwhile_is_not_resurrected(cloud, context, rich):
    """Nova's truth holds on the way back as well; all others are as they were."""
    before = placement_tables(cloud)
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    gone = rich.stale.servers[0]
    cloud.delete_server(gone)
    cloud.allocate(gone, {})
    roll_back(context, recovery_id)
    expected = {what: [row for row in rows if gone not in row] for what, rows in before.items()}
    assert placement_tables(cloud) == expected


def test_nova_had_looked_at_the_new_root_but_not_accepted_it(cloud, context, rich):
    """Whatever else it wrote there goes with the root."""
    before = placement_tables(cloud)
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    new = rich.stale.compute_uuid
    cloud.set_traits(new, {*cloud.traits(new), "HW_CPU_X86_AVX"})
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before


@pytest.mark.parametrize("at", sampled(["return_allocations", "return_provider_name", "restore_resource_provider"]))
def test_once_accepted_the_way_is_forward_only(cloud, context, rich, finish, at):
    """Also where it is accepted in the middle of the way back: the error names resume, and resume finishes."""
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    for step in ROLLBACK:
        if step.name == at:
            break
        run_step(context, recovery_id, step.name)
    new = rich.stale.compute_uuid
    cloud.set_traits(new, {*cloud.traits(new), "COMPUTE_NODE"})
    with pytest.raises(StepFailed, match=rf"has accepted .*forward: .*resume_recovery recovery_id={recovery_id}"):
        run_step(context, recovery_id, at)
    assert cloud.service(rich.stale.host) == disabled_by(recovery_id)
    journal = finish(context, rich.stale, recovery_id)
    assert journal.progress.state == "finished"
    assert set(cloud.provider_allocations(new)) == set(rich.consumers) - {rich.consumers[3]}
    assert cloud.show_provider(rich.stale.stale_uuid) is None


@pytest.mark.parametrize("renamed", sampled(["new", "stale"]))
def test_it_is_accepted_when_the_way_back_has_set_it_aside(cloud, context, rich, finish, renamed):
    """nova-compute knows its root by its UUID; the resume gives the name back to it."""
    stale, meddler = rich.stale, Meddler()
    uuid = {"new": stale.compute_uuid, "stale": stale.stale_uuid}[renamed]
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    roll_back(context, recovery_id, until="return_allocations")
    meddler.after("PUT", f"/resource_providers/{uuid}", Killed.die)
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, "return_provider_name")
    cloud.set_traits(stale.compute_uuid, {*cloud.traits(stale.compute_uuid), "COMPUTE_NODE"})
    with pytest.raises(StepFailed, match="finish forward"):
        roll_back(context, recovery_id)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.find_provider(stale.node) == stale.compute_uuid
    assert set(cloud.provider_allocations(stale.compute_uuid)) == set(rich.consumers) - {rich.consumers[3]}


def test_a_finished_one_has_no_way_back(cloud, context, rich, finish):
    """Its new provider is in use."""
    recovery_id = begin(context, rich.stale.host, "transplant")
    finish(context, rich.stale, recovery_id)
    with pytest.raises(PlacementRecoveryError, match="no way back"):
        roll_back(context, recovery_id)


@pytest.mark.long
def test_there_is_no_going_forward_once_turned_back(cloud, context, rich):
    """What was given back is not taken away again by half a resume."""
    before = placement_tables(cloud)
    recovery_id = begin(context, rich.stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    roll_back(context, recovery_id, until="restore_resource_provider")
    with pytest.raises(StepFailed, match="is being rolled back"):
        go_on(context, recovery_id)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
