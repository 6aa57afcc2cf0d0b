"""Placement or Nova fail at any step: a clear error, nothing lost, and a resume ends well once the cause is gone."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from placement_recovery.errors import ApiDenied, ApiFailure, ApiUnavailable, ApiUnreachable
from placement_recovery.plan.case import Request
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.planning import plan_recovery
from testkit.cloud import UNREACHABLE
from testkit.driving import Meddler, begin, go_on, open_hasty, step_names, watched
from testkit.looks import disabled_by, enabled, holdings, lock_traits, moved
from testkit.placement import ONE_SERVER
from testkit.sampling import sampled

# How it fails, and as what. drop: no answer, not carried out. lose: no answer, though it was. hold: no answer at all.
UNKNOWN_END = {"drop": ApiUnreachable, "503": ApiUnavailable, "hold": ApiUnreachable, "lose": ApiUnreachable}
REFUSED = {"401": ApiDenied, "403": ApiDenied}
# The step, and what it writes to Placement after the first write of all.
WRITES = {
    "delete_allocations": ("POST", "/allocations"),
    "delete_resource_provider": ("DELETE", "/resource_providers"),
    "create_resource_provider": ("POST", "/resource_providers"),
    "set_allocations": ("POST", "/allocations"),
    "close_recovery": ("DELETE", "/traits"),
}


@pytest.fixture
def proxy(cloud):
    """A fault proxy before Placement."""
    from lab.openstack.proxy import FaultProxy

    with FaultProxy(cloud.lab.placement_url) as proxy:
        yield proxy


@pytest.fixture
def through(cloud, proxy):
    """A context whose requests to Placement go through the proxy; a time-out is soon over."""
    clouds = cloud.clouds_yaml(placement_url=proxy.url)
    return open_hasty(cloud.config(clouds_file=clouds, provider_wait=60, request_timeout=3))


@pytest.fixture
def nova_proxy(cloud):
    """A fault proxy before nova-api, and a context that goes through it."""
    from lab.openstack.proxy import FaultProxy

    with FaultProxy(cloud.lab.nova_url) as proxy:
        clouds = cloud.clouds_yaml(compute_url=proxy.url + "/v2.1")
        yield proxy, open_hasty(cloud.config(clouds_file=clouds, provider_wait=60))


def test_a_write_without_an_answer_is_recognised_by_looking(cloud, proxy, through):
    """Each write fails in each way; run again, its step sees whether it was carried out. The record stays open."""
    stale = cloud.stale_host(servers=2, traits=["COMPUTE_NODE", "CUSTOM_RECOVERY_TEST_OWN"])
    before = holdings(cloud, stale.servers)
    recovery_id = begin(through, stale.host)
    with ExitStack() as nova_compute:
        for name in step_names():
            if name == "wait_for_periodic":  # until then it would be faster than the request that fails
                nova_compute.enter_context(cloud.nova_compute(stale.host, interval=0.1))
            for mode, error in UNKNOWN_END.items() if name in WRITES else ():
                if mode == "hold" and name not in ("delete_allocations", "set_allocations"):
                    continue  # a time-out takes its time
                proxy.fail(mode, *WRITES[name])
                with pytest.raises(error, match=f"^{name}: placement: .*go on with .*{recovery_id}'"):
                    run_step(through, recovery_id, name)
                assert through.journal(recovery_id).progress.state == "open"
            proxy.pass_all()
            run_step(through, recovery_id, name)
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


@pytest.mark.parametrize("method", ["preserve", "transplant"])
def test_who_may_not_create_providers_takes_nothing_away(cloud, proxy, through, method):
    """Found out before the first write: all is as it was, and the record is closed."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(through, stale.host, method)
    proxy.fail("403", "POST", "/resource_providers")
    with pytest.raises(ApiDenied, match="nothing was taken away"):
        go_on(through, recovery_id)
    assert holdings(cloud, stale.servers) == before
    assert through.journal(recovery_id).progress.state == "abandoned"
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_a_token_that_expires_at_every_write_is_not_even_noticed(cloud, proxy, through):
    """A long recovery on a cloud whose tokens are short-lived: each write of each step meets a 401, once."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(through, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in step_names():
            if name in WRITES:
                proxy.fail("401", *WRITES[name], numbers=(1,))
            run_step(through, recovery_id, name)
            proxy.pass_all()
    assert proxy.writes().count(("POST", "/allocations", 401)) == 2
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


@pytest.mark.parametrize("mode", REFUSED)
def test_a_first_write_that_is_refused_leaves_all_as_it_was(cloud, proxy, through, mode):
    """The credentials lost a role: Placement has written nothing, so nothing is left half done."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(through, stale.host)
    proxy.fail(mode, "POST", "/allocations")
    with pytest.raises(ApiDenied, match=f"delete_allocations: .*{mode}.*clouds.yaml.*nothing was taken away"):
        go_on(through, recovery_id)
    assert holdings(cloud, stale.servers) == before
    assert through.journal(recovery_id).progress.state == "abandoned"
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_a_later_write_that_is_refused_is_done_by_a_resume(cloud, proxy, through):
    """The service stays disabled while the allocations are away."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(through, stale.host)
    go_on(through, recovery_id, until="delete_allocations")
    for mode in REFUSED:
        proxy.fail(mode)
        with pytest.raises(ApiDenied, match=f"delete_resource_provider: .*{mode}.*go on with .*{recovery_id}'"):
            run_step(through, recovery_id, "delete_resource_provider")
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    proxy.pass_all()
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(through, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.service(stale.host) == enabled()


@pytest.mark.long
def test_reads_that_fail_stop_each_step_and_lose_nothing(cloud, proxy, through):
    """From the lock to the verification; then all is done from the top."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(through, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in ("lock_provider", "delete_allocations", "wait_for_resource_provider", "verify_recovery"):
            go_on(through, recovery_id, before=name)
            proxy.fail("503")
            with pytest.raises(ApiUnavailable, match=f"^{name}: placement: GET .*{recovery_id}"):
                run_step(through, recovery_id, name)
            proxy.pass_all()
        go_on(through, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_a_short_outage_is_not_even_noticed(cloud, proxy, through):
    """A read is repeated a little."""
    stale = cloud.stale_host(servers=0)
    proxy.fail("503", "GET", numbers=(1, 2))
    assert plan_recovery(through, stale.host, Request())[1].state == "ready"


@pytest.mark.parametrize("mode", sampled(["lose", "503", "401"]))
def test_a_claim_that_fails_leaves_no_trace(cloud, proxy, through, mode):
    """Not even where it was put and only the answer was lost. (One 401 would only cost a new token.)"""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(through, stale.host)
    proxy.fail(mode, "PUT", "/resource_providers/.*/traits", numbers=(1, 2) if mode == "401" else (1,))
    with pytest.raises(ApiFailure, match=r"lock_provider: .*nothing was taken away"):
        go_on(through, recovery_id)
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])
    assert through.journal(recovery_id).progress.state == "abandoned"


@pytest.mark.parametrize(
    ("mode", "error", "told"),
    [
        ("401", ApiDenied, "answered 401: check the user and password"),
        ("403", ApiDenied, "answered 403: the user of clouds.yaml needs the admin role"),
        ("503", ApiUnavailable, "answered 503; try again .*No server is available"),
        ("drop", ApiUnreachable, "got no answer: .*check the network and the endpoint"),
        ("hold", ApiUnreachable, "got no answer: .*check the network and the endpoint"),
    ],
)
def test_with_placement_away_nothing_is_begun(cloud, proxy, through, mode, error, told):
    """Neither a record nor a write; the message says what to check, in a line without markup."""
    stale = cloud.stale_host(servers=1)
    mark = cloud.placement_mark(), cloud.nova_mark()
    proxy.fail(mode)
    with pytest.raises(error, match=told) as caught:
        plan_recovery(through, stale.host, Request())
    assert not set("<\n") & set(str(caught.value))
    assert through.store.ids("saved") == ()
    assert cloud.placement_writes_since(mark[0]) == cloud.nova_writes_since(mark[1]) == []


def test_a_placement_that_refuses_connections_is_told(cloud):
    """Before anything else is tried."""
    nobody = UNREACHABLE.rsplit("/", 1)[0]
    with pytest.raises(ApiUnreachable, match="placement: GET / got no answer"):
        open_hasty(cloud.config(clouds_file=cloud.clouds_yaml(placement_url=nobody)))


def test_a_switch_whose_answer_was_lost_is_given_back(cloud, nova_proxy):
    """The service is disabled, though Nova's answer never came; nothing was taken away yet."""
    proxy, through = nova_proxy
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(through, stale.host)
    proxy.fail("lose", "PUT", "/os-services", numbers=(1,))
    with pytest.raises(ApiUnreachable, match=r"disable_compute_service: nova: PUT .*is enabled again"):
        go_on(through, recovery_id)
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


@pytest.mark.long
def test_with_nova_away_nothing_is_put_back_halfway_and_a_resume_ends_well(cloud, nova_proxy):
    """At the switch, while asking for the owners, and at the end."""
    proxy, through = nova_proxy
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(through, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in ("disable_compute_service", "set_allocations", "close_recovery"):
            go_on(through, recovery_id, before=name)
            proxy.fail("503")
            with pytest.raises(ApiUnavailable, match=f"{name}: nova: .*go on with .*{recovery_id}'"):
                run_step(through, recovery_id, name)
            proxy.pass_all()
        go_on(through, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def test_the_record_is_whole_before_the_first_write(cloud, context):
    """Of anything, the service's switch included: what was saved can be read back, and is what stands."""
    stale, meddler, seen = cloud.stale_host(servers=2), Meddler(), []
    recovery_id = begin(context, stale.host)
    for method in ("PUT", "POST", "DELETE"):
        meddler.before(method, "", lambda: seen.append(context.journal(recovery_id)))
    run_step(watched(context, meddler), recovery_id, "lock_provider")
    saved = seen[0].saved
    assert {one.uuid: one.consumer.allocations for one in saved.consumers} == holdings(cloud, stale.servers)
    assert (saved.stale.uuid, saved.service.host) == (stale.stale_uuid, stale.host)


def test_saving_and_planning_write_nothing(cloud, context):
    """To Placement or Nova; whoever dies right after them leaves nothing behind but a record."""
    stale = cloud.stale_host(servers=1)
    marks = cloud.placement_mark(), cloud.nova_mark()
    recovery_id = begin(context, stale.host)
    assert cloud.placement_writes_since(marks[0]) == cloud.nova_writes_since(marks[1]) == []
    assert set(context.journal(recovery_id).progress.steps) == {"save_allocations"}
