"""One recovery a host at a time, whoever starts it; different hosts side by side."""

from __future__ import annotations

import threading
from typing import Any, Callable, List

import pytest

from placement_recovery.errors import PlacementRecoveryError, RecoveryUnderWay, Refused
from placement_recovery.recovery.engine import run_step
from testkit.driving import Meddler, begin, go_on, open_hasty, recover, watched
from testkit.looks import disabled_by, enabled, lock_traits
from testkit.placement import ONE_SERVER


@pytest.fixture
def contexts(cloud):
    """Contexts of as many installations as asked for, each with records of its own."""
    return lambda count: [open_hasty(cloud.config(provider_wait=60)) for _ in range(count)]


def at_once(*calls: Callable[[], Any]) -> List[Any]:
    """What each call returned or raised, all begun in the same moment."""
    results: List[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = calls[index]()
        except PlacementRecoveryError as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_second_recovery_is_refused_by_the_plan(cloud, context, contexts):
    """By the record where they share a store, by the lock where they do not; it names the first one."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="lock_provider")
    with pytest.raises(AssertionError, match=f"recovery {recovery_id} of {stale.host} is not finished: it is under"):
        begin(context, stale.host)
    with pytest.raises(AssertionError, match=f"is locked by recovery {recovery_id}, which is not unfinished"):
        begin(*contexts(1), stale.host)


@pytest.mark.long
def test_of_two_that_planned_at_once_one_goes_on_and_the_other_names_it(cloud, contexts):
    """The lock decides; the loser leaves no trace, and does not touch the winner's switch."""
    stale, (first, second) = cloud.stale_host(servers=1), contexts(2)
    winner, loser = begin(first, stale.host), begin(second, stale.host)
    go_on(first, winner, until="disable_compute_service")
    with pytest.raises(RecoveryUnderWay, match=f"is locked by recovery {winner}.*{loser} is closed"):
        go_on(second, loser)
    assert second.journal(loser).progress.state == "abandoned"
    assert cloud.service(stale.host) == disabled_by(winner)
    assert lock_traits(cloud, loser) == []
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(first, winner)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_who_comes_when_the_stale_provider_is_gone_does_nothing(cloud, contexts):
    """The first one is at work, or has ended: the second one saved what is no more, and must not bring it back."""
    stale, (first, second) = cloud.stale_host(servers=1), contexts(2)
    winner, loser = begin(first, stale.host), begin(second, stale.host)
    go_on(first, winner, until="delete_resource_provider")
    with pytest.raises(RecoveryUnderWay, match=f"is gone, and recovery {loser}"):
        go_on(second, loser)
    assert cloud.service(stale.host) == disabled_by(winner)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(first, winner)
    assert cloud.service(stale.host) == enabled()


def test_of_four_claims_in_one_moment_one_succeeds(cloud, contexts):
    """By the provider's generation, which Placement compares."""
    stale, four = cloud.stale_host(servers=1), contexts(4)
    ids = [begin(context, stale.host) for context in four]
    results = at_once(*(lambda c=c, i=i: run_step(c, i, "lock_provider") for c, i in zip(four, ids)))
    winners = [one for one, result in zip(ids, results) if not isinstance(result, Exception)]
    assert len(winners) == 1
    assert [type(one) for one in results if isinstance(one, Exception)] == [RecoveryUnderWay] * 3
    assert all(winners[0] in str(one) for one in results if isinstance(one, Exception))
    assert [name for one in ids for name in lock_traits(cloud, one)] == lock_traits(cloud, winners[0])


def test_of_two_whole_starts_at_once_one_recovers_the_host(cloud, context):
    """Both with one store, as two runs of one StackStorm; the other one ends at once and names the first."""
    stale = cloud.stale_host(servers=2)
    with cloud.nova_compute(stale.host, interval=0.1):
        results = at_once(*(lambda: recover(context, stale.host) for _ in range(2)))
    errors = [one for one in results if isinstance(one, Exception)]
    winners = [one for one in results if not isinstance(one, Exception)]
    assert len(winners) == len(errors) == 1
    assert isinstance(errors[0], Refused)
    assert winners[0].saved.id in str(errors[0])
    assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers)
    assert cloud.service(stale.host) == enabled()


@pytest.mark.long
def test_two_hosts_are_recovered_side_by_side(cloud, context):
    """Each with what is its own."""
    one, other = cloud.stale_host(servers=2), cloud.stale_host(servers=2)
    with cloud.nova_compute(one.host, interval=0.1), cloud.nova_compute(other.host, interval=0.1):
        results = at_once(lambda: recover(context, one.host), lambda: recover(context, other.host))
    assert [result.progress.state for result in results] == ["finished", "finished"]
    for stale in (one, other):
        assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers)


def test_nova_compute_may_write_to_the_provider_while_it_is_claimed(cloud, context):
    """A lost generation only means that somebody wrote: the lock looks again, and nobody's trait is lost."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    recovery_id = begin(context, stale.host)
    traits = ["COMPUTE_NODE", "CUSTOM_RECOVERY_TEST_OWN"]
    meddler.before("PUT", "/resource_providers", lambda: cloud.set_traits(stale.stale_uuid, traits))
    run_step(watched(context, meddler), recovery_id, "lock_provider")
    assert cloud.traits(stale.stale_uuid) == {*traits, *lock_traits(cloud, recovery_id)}
