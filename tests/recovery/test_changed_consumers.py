"""A consumer changes after it was saved: it is read and decided upon again, and gets back what it held last."""

from __future__ import annotations

import pytest

from placement_recovery.errors import ConsumerChanged
from placement_recovery.plan.consumers import DROP, KEEP, TRIM
from placement_recovery.recovery.update import CONFLICT_TRIES
from testkit.driving import Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import enabled, holdings, lock_traits
from testkit.placement import ONE_SERVER

BIGGER = {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 1}


@pytest.fixture
def one_a_batch(cloud):
    """A context that writes each consumer in a request of its own."""
    return open_hasty(cloud.config(provider_wait=60, batch_size=1))


def test_a_consumer_that_was_written_to_is_kept_as_it_is_now(cloud, context):
    """One at a later generation, one with other amounts, one with a part elsewhere, and one that did not change."""
    stale, other = cloud.stale_host(servers=4), cloud.healthy_host()
    recovery_id = begin(context, stale.host)
    touched, grown, spread, calm = stale.servers
    cloud.allocate(touched, {stale.stale_uuid: ONE_SERVER})
    cloud.allocate(grown, {stale.stale_uuid: BIGGER})
    cloud.allocate(spread, {stale.stale_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}})
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert holdings(cloud, stale.servers) == {
        touched: {stale.compute_uuid: ONE_SERVER},
        grown: {stale.compute_uuid: BIGGER},
        spread: {stale.compute_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}},
        calm: {stale.compute_uuid: ONE_SERVER},
    }
    assert {one.uuid for one in context.journal(recovery_id).progress.changed} == {touched, grown, spread}
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_a_write_in_the_very_moment_is_met_by_the_generation(cloud, context):
    """Between the look and the POST: Placement refuses all of it, and the next look sees what was written."""
    stale, meddler = cloud.stale_host(servers=3), Meddler()
    recovery_id, mark = begin(context, stale.host), cloud.placement_mark()
    meddler.before("POST", "/allocations", lambda: cloud.allocate(stale.servers[2], {stale.stale_uuid: BIGGER}))
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(watched(context, meddler), recovery_id)
    assert [cloud.allocations(one) for one in stale.servers] == [
        {stale.compute_uuid: ONE_SERVER}, {stale.compute_uuid: ONE_SERVER}, {stale.compute_uuid: BIGGER},
    ]
    posts = [one.status for one in cloud.placement_writes_since(mark) if one.path == "/allocations"]
    assert posts == [409, *[204] * 4]


@pytest.mark.long
def test_a_write_after_others_were_cleared_is_met_too(cloud, one_a_batch):
    """The first batch is away already; the second one's consumer has grown elsewhere."""
    stale, other, meddler = cloud.stale_host(servers=2), cloud.healthy_host(), Meddler()
    late = sorted(stale.servers)[1]
    spread = {stale.stale_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}}
    meddler.before("POST", "/allocations", lambda: cloud.allocate(late, spread), passing=1)
    recovery_id = begin(one_a_batch, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(watched(one_a_batch, meddler), recovery_id)
    assert cloud.allocations(late) == {stale.compute_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}}
    assert cloud.allocations(sorted(stale.servers)[0]) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_a_consumer_that_changes_all_the_time_stops_the_step(cloud, context):
    """A bounded number of tries; nothing was taken away, so all is put back."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    server, recovery_id = stale.servers[0], begin(context, stale.host)
    last = CONFLICT_TRIES + 1
    for vcpus in range(2, last + 1):
        held = {stale.stale_uuid: {"VCPU": vcpus}}
        meddler.before("POST", "/allocations", lambda held=held: cloud.allocate(server, held), passing=vcpus - 2)
    words = f"change all the time, {CONFLICT_TRIES} tries met.*nothing was taken away"
    with pytest.raises(ConsumerChanged, match=words):
        go_on(watched(context, meddler), recovery_id)
    assert cloud.allocations(server) == {stale.stale_uuid: {"VCPU": last}}
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_a_rollback_gives_back_what_was_held_last(cloud, context):
    """Not what was saved first."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    cloud.allocate(stale.servers[0], {stale.stale_uuid: BIGGER})
    go_on(context, recovery_id, until="delete_resource_provider")
    roll_back(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.stale_uuid: BIGGER}
    assert context.journal(recovery_id).progress.state == "rolled_back"


@pytest.mark.long
def test_a_leftover_that_got_a_part_elsewhere_keeps_that(cloud, context):
    """It was to go altogether."""
    stale, other = cloud.stale_host(servers=1), cloud.healthy_host()
    orphan = _deleted_server(cloud, stale)
    recovery_id = begin(context, stale.host)
    assert _dispositions(context, recovery_id)[orphan] == DROP
    cloud.allocate(orphan, {stale.stale_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}})
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.allocations(orphan) == {other.uuid: {"DISK_GB": 7}}
    assert _dispositions(context, recovery_id) == {orphan: TRIM, stale.servers[0]: KEEP}


def test_a_leftover_that_has_grown_here_stops_the_recovery(cloud, context):
    """More would go than the plan showed, for good."""
    stale = cloud.stale_host(servers=1)
    orphan = _deleted_server(cloud, stale)
    recovery_id = begin(context, stale.host)
    cloud.allocate(orphan, {stale.stale_uuid: BIGGER})
    with pytest.raises(ConsumerChanged, match=f"{orphan}.*other amounts than those of the plan.*nothing was taken"):
        go_on(context, recovery_id)
    assert cloud.allocations(orphan) == {stale.stale_uuid: BIGGER}
    assert context.journal(recovery_id).progress.state == "abandoned"


def _deleted_server(cloud, stale):
    orphan = cloud.server(host=stale.host)
    cloud.allocate(orphan, {stale.stale_uuid: ONE_SERVER})
    cloud.delete_server(orphan)
    return orphan


def _dispositions(context, recovery_id):
    return {one.uuid: one.disposition for one in context.journal(recovery_id).saved.consumers}
