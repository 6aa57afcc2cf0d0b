"""Each step needs those before it, and any of them may run again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.cloud.model import CloudIdentity
from placement_recovery.errors import InvalidInput, RecordNotFound, Refused, StepFailed
from placement_recovery.recovery.engine import run_step
from testkit.driving import begin, go_on, open_hasty, recover, step_names
from testkit.looks import enabled, holdings, lock_traits


@pytest.fixture(scope="module")
def waiting(cloud):
    """A recovery with each method that is saved, and no more."""
    context = open_hasty(cloud.config(provider_wait=60))
    hosts = [cloud.stale_host(servers=1) for _ in range(2)]
    return context, {"preserve": begin(context, hosts[0].host), "discard": begin(context, hosts[1].host, "discard")}


LATER = [(method, name) for method in ("preserve", "discard") for name in step_names(method)[2:]]


@pytest.mark.parametrize(("method", "name"), LATER)
def test_a_step_alone_is_refused(cloud, waiting, method, name):
    """What was not locked is not deleted, what was not awaited is not set; the recovery stays as it is."""
    context, ids = waiting
    marks = cloud.placement_mark(), cloud.nova_mark()
    with pytest.raises(StepFailed, match=r"lock_provider comes before \w+ and is not done.*resume_recovery"):
        run_step(context, ids[method], name)
    assert cloud.placement_writes_since(marks[0]) == cloud.nova_writes_since(marks[1]) == []
    progress = context.journal(ids[method]).progress
    assert (progress.state, set(progress.steps)) == ("open", {"save_allocations"})


def test_a_step_of_another_method_is_refused(waiting):
    """discard has nothing to set."""
    context, ids = waiting
    with pytest.raises(InvalidInput, match="discard has no step set_allocations"):
        run_step(context, ids["discard"], "set_allocations")
    with pytest.raises(InvalidInput, match="preserve has no step format_disk"):
        run_step(context, ids["preserve"], "format_disk")


@pytest.mark.parametrize("name", step_names())
def test_a_recovery_that_nobody_knows_is_refused(context, name):
    """An id that was mistyped."""
    with pytest.raises(RecordNotFound, match=r"recovery 0123456789 has no saved.*show_recoveries"):
        run_step(context, "0123456789", name)


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "3F9A", "a b", "x" * 65, "{{ x }}"])
def test_what_cannot_be_an_id_is_refused(context, text):
    """Before it becomes part of a path or a key."""
    with pytest.raises(InvalidInput, match="is not a recovery id"):
        run_step(context, text, "lock_provider")


def test_every_step_twice_is_the_same_as_once(cloud, context):
    """The second run of each looks, writes nothing to a provider or a consumer, and says that it is so already."""
    stale = cloud.stale_host(servers=2, traits=["COMPUTE_NODE", "CUSTOM_RECOVERY_TEST_OWN"])
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in step_names():
            run_step(context, recovery_id, name)
            marks = cloud.placement_mark(), cloud.nova_mark()
            before = holdings(cloud, stale.servers), cloud.service(stale.host)
            run_step(context, recovery_id, name)
            assert cloud.placement_writes_since(marks[0]) == cloud.nova_writes_since(marks[1]) == []
            assert (holdings(cloud, stale.servers), cloud.service(stale.host)) == before
    assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers)


def test_a_finished_recovery_runs_again_and_does_nothing(cloud, context):
    """Each step says that it is finished; not one write."""
    stale = cloud.stale_host(servers=1)
    with cloud.nova_compute(stale.host, interval=0.1):
        recovery_id = recover(context, stale.host).saved.id
        marks = cloud.placement_mark(), cloud.nova_mark()
        results = go_on(context, recovery_id)
    assert {(one.summary, one.state) for one in results} == {
        (f"recovery {recovery_id} is finished, nothing is left to do", "finished")
    }
    assert cloud.placement_writes_since(marks[0]) == cloud.nova_writes_since(marks[1]) == []


def test_an_abandoned_recovery_is_not_taken_up_again(cloud, context):
    """All was put back as it was; a new one plans anew."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="disable_compute_service")
    cloud.set_service(stale.host, disabled=False, disabled_reason=None)
    with pytest.raises(StepFailed, match="somebody enabled the compute service"):
        run_step(context, recovery_id, "delete_allocations")
    for name in step_names():
        with pytest.raises(StepFailed, match="abandoned before it took anything away; start a new one"):
            run_step(context, recovery_id, name)
    assert lock_traits(cloud, recovery_id) == []
    assert cloud.service(stale.host) == enabled()


@pytest.mark.long
def test_going_on_from_the_top_skips_what_is_done(cloud, context):
    """Wherever it stopped; the end is that of one run."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    stops = ("lock_provider", "delete_allocations", "create_resource_provider", "set_allocations", "")
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in stops:
            go_on(context, recovery_id, until=name)
    assert cloud.allocations(stale.servers[0]).keys() == {stale.compute_uuid}
    assert context.journal(recovery_id).progress.steps["lock_provider"].tries == len(stops)
    assert lock_traits(cloud, recovery_id) == []


def test_a_recovery_of_another_cloud_is_refused(cloud, context):
    """The configuration names another one since; the same cloud by another Keystone address is the same."""
    recovery_id = begin(context, cloud.stale_host(servers=1).host)
    here = context.identity
    moved = replace(context, identity=replace(here, auth_url="https://public.example.org/v3"))
    assert moved.journal(recovery_id).saved.cloud == here
    other = CloudIdentity("https://other.example.org/v3", here.region, here.compute, "https://other.example.org/p")
    with pytest.raises(Refused, match=f"recovery {recovery_id} belongs to the cloud of {here.auth_url}.*clouds_file"):
        run_step(replace(context, identity=other), recovery_id, "lock_provider")
