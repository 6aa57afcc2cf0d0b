"""More consumers than one request carries: each batch is one transaction, and a conflict in one is no dead end."""

from __future__ import annotations

import pytest

from placement_recovery.errors import ConsumerChanged
from testkit.driving import Meddler, begin, go_on, open_hasty, recover, watched
from testkit.looks import enabled
from testkit.placement import ONE_SERVER


@pytest.fixture
def two_a_batch(cloud):
    """A context that writes two consumers a request."""
    return open_hasty(cloud.config(provider_wait=60, batch_size=2))


def posts(cloud, mark):
    """The requests that wrote allocations since the mark, by their status."""
    writes = cloud.placement_writes_since(mark)
    return [one.status for one in writes if (one.method, one.path) == ("POST", "/allocations")]


def test_all_are_cleared_and_set_batch_by_batch(cloud, two_a_batch):
    """Five consumers, typed ones apart: three requests to clear, and twice as many to set beyond that generation."""
    stale, mark = cloud.stale_host(servers=4), cloud.placement_mark()
    typed = cloud.server(host=stale.host)
    cloud.allocate(typed, {stale.stale_uuid: ONE_SERVER}, consumer_type="INSTANCE")
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(two_a_batch, stale.host)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys([*stale.servers, typed], ONE_SERVER)
    assert posts(cloud, mark) == [204] * 9
    assert cloud.consumer(typed)["consumer_type"] == "INSTANCE"


@pytest.mark.long
def test_one_request_carries_all_where_they_fit(cloud, context):
    """One transaction to clear, one to set, and one that leaves the generation behind which a late clear names."""
    stale, mark = cloud.stale_host(servers=30), cloud.placement_mark()
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host)
    assert posts(cloud, mark) == [204] * 3


def test_a_conflict_in_the_second_batch_of_clearing_is_met_by_another_look(cloud, two_a_batch):
    """Half is away; who was written to in that moment is cleared at its new generation, and set as it was then."""
    stale, meddler, mark = cloud.stale_host(servers=4), Meddler(), cloud.placement_mark()
    late = sorted(stale.servers)[2]
    meddler.before("POST", "/allocations", lambda: cloud.allocate(late, {stale.stale_uuid: {"VCPU": 2}}), passing=1)
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(watched(two_a_batch, meddler), stale.host)
    assert posts(cloud, mark) == [204, 409, *[204] * 6]
    expected = {**dict.fromkeys(stale.servers, ONE_SERVER), late: {"VCPU": 2}}
    assert cloud.provider_allocations(stale.compute_uuid) == expected


@pytest.mark.long
def test_who_must_not_be_touched_after_the_first_batch_waits_for_its_owner(cloud, two_a_batch):
    """Half is away when a task begins: the recovery stays open and says which; when it is over, a resume goes on."""
    stale, meddler = cloud.stale_host(servers=3), Meddler()
    late = sorted(stale.servers)[2]
    recovery_id = begin(two_a_batch, stale.host)
    meddler.before("POST", "/allocations", lambda: _begin_a_task(cloud, stale, late), passing=1)
    with pytest.raises(ConsumerChanged, match=f"{late} .*task rebooting is under way.*go on with .*{recovery_id}"):
        go_on(watched(two_a_batch, meddler), recovery_id)
    assert cloud.provider_allocations(stale.stale_uuid) == {late: {"VCPU": 2}}
    assert (cloud.service(stale.host)["disabled"], two_a_batch.journal(recovery_id).progress.state) == (True, "open")
    cloud.set_server(late, task_state=None)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(two_a_batch, recovery_id)
    expected = {**dict.fromkeys(stale.servers, ONE_SERVER), late: {"VCPU": 2}}
    assert cloud.provider_allocations(stale.compute_uuid) == expected
    assert cloud.service(stale.host) == enabled()


def _begin_a_task(cloud, stale, server):
    cloud.set_server(server, task_state="rebooting")
    cloud.allocate(server, {stale.stale_uuid: {"VCPU": 2}})


@pytest.mark.long
def test_a_conflict_in_the_second_batch_of_setting_is_met_by_another_look(cloud, two_a_batch):
    """Who got something elsewhere in that moment keeps it, beside what comes back."""
    stale, other, meddler = cloud.stale_host(servers=4), cloud.healthy_host(), Meddler()
    late = sorted(stale.servers)[3]
    recovery_id = begin(two_a_batch, stale.host)
    meddler.before("POST", "/allocations", lambda: cloud.allocate(late, {other.uuid: {"DISK_GB": 3}}), passing=1)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(two_a_batch, recovery_id, before="set_allocations")
        go_on(watched(two_a_batch, meddler), recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.allocations(late) == {stale.compute_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 3}}
