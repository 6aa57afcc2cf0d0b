"""The compute node's UUID changes again: the recovery goes on onto the newest, and no allocation is lost."""

from __future__ import annotations

import pytest

from placement_recovery.errors import ProviderNotReady, StepFailed
from placement_recovery.recovery.engine import run_step
from testkit.cloud import new_name
from testkit.driving import Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import enabled, holdings, lock_traits, moved
from testkit.placement_tables import placement_tables
from testkit.rows import new_uuid
from testkit.sampling import sampled

POINTS = ("lock_provider", "replace_resource_provider", "copy_provider_settings", "move_allocations")


def change_uuid(cloud, stale):
    """nova-compute starts under yet another UUID; which one."""
    uuid = new_uuid()
    cloud.set_compute_node(stale.host, uuid=uuid)
    return uuid


def assert_recovered(cloud, stale, newest, before, journal):
    """All hold the newest root, which alone stands, with what the first one carried."""
    assert journal.progress.state == "finished"
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, newest)
    named = [one for one in cloud.placement.get("/resource_providers")["resource_providers"]
             if one["name"].startswith(stale.node)]
    assert [(one["uuid"], one["name"]) for one in named] == [(newest, stale.node)]
    assert cloud.traits(newest) >= {"COMPUTE_NODE", "CUSTOM_RACK_7"}
    assert cloud.inventories(newest)["VCPU"]["allocation_ratio"] == 7.0
    assert cloud.service(stale.host) == enabled()
    assert lock_traits(cloud, journal.saved.id) == []


@pytest.fixture
def stale(cloud):
    """A host whose root carries a trait and a ratio of its own."""
    inventories = {"VCPU": {"total": 16, "max_unit": 16, "allocation_ratio": 7.0}, "MEMORY_MB": 65536, "DISK_GB": 1028}
    return cloud.stale_host(servers=2, inventories=inventories, traits=("COMPUTE_NODE", "CUSTOM_RACK_7"))


@pytest.mark.parametrize("until", sampled(POINTS))
def test_it_goes_on_onto_the_newest_uuid(cloud, context, finish, stale, until):
    """From the top, wherever it stood."""
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until=until)
    newest = change_uuid(cloud, stale)
    assert_recovered(cloud, stale, newest, before, finish(context, stale, recovery_id))


def test_it_changes_after_each_step(cloud, context, finish, stale):
    """Each root that was made is the next one to be set aside; all are deleted in the end."""
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    for until in POINTS[1:]:
        go_on(context, recovery_id, until=until)
        newest = change_uuid(cloud, stale)
    assert_recovered(cloud, stale, newest, before, finish(context, stale, recovery_id))


def test_a_stale_root_that_nova_knows_again_is_not_stripped(cloud, context, finish, stale):
    """Another host came up with its UUID in the middle: the recovery stops until that is settled."""
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    other = new_name()
    cloud.compute(other, uuid=stale.stale_uuid)
    with pytest.raises(StepFailed, match=rf"nova knows compute node {stale.stale_uuid} now .*{other}.* not touched"):
        go_on(context, recovery_id)
    assert holdings(cloud, stale.servers) == before
    cloud.delete_compute(other)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, stale.compute_uuid)


def test_it_changes_while_nova_compute_is_waited_for(cloud, finish, stale):
    """The step says so, and the resume goes on onto the newest."""
    context, meddler, uuids = open_hasty(cloud.config(late_write_wait=0, acceptance_wait=4)), Meddler(), []
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    meddler.after("GET", f"{stale.compute_uuid}/traits", lambda: uuids.append(change_uuid(cloud, stale)))
    with pytest.raises(ProviderNotReady, match=rf"UUID .* now, not {stale.compute_uuid}.*resume to move it on"):
        run_step(watched(context, meddler), recovery_id, "wait_for_nova_compute")
    assert_recovered(cloud, stale, uuids[0], before, finish(context, stale, recovery_id))


def test_it_can_be_taken_back_all_the_same(cloud, context, stale):
    """Both roots that were made are gone, and the first one is as it was in every row."""
    before = placement_tables(cloud)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    change_uuid(cloud, stale)
    go_on(context, recovery_id, until="move_allocations")
    change_uuid(cloud, stale)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
