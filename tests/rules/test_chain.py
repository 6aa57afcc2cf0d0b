"""From a line in a log to the end of recover_host: what is proven is recovered, and nothing else is touched."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from st2common.standin import ActionService, ActionWrapper

from lab.proxy import FaultProxy
from lab.runner import triggers
from placement_recovery.config import Config
from placement_recovery.errors import PlacementRecoveryError
from placement_recovery.plan.case import Request
from placement_recovery.record.journal import unfinished
from placement_recovery.recovery.context import open_context
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.methods import METHODS
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.recovery.save import save_allocations
from placement_recovery.store import open_store
from tests.follow.nova_log import fault


def states(executions):
    """How each run ended, and in which state of the plan or the recovery."""
    return [(one.status, (one.output or {}).get("state")) for one in executions]


def test_line_of_a_broken_host_recovers_it(cloud, watch, log, react):
    """The line, the trigger, the rule, the proof, the recovery."""
    stale = cloud.stale_host(2)
    log.write(fault(1, stale.host))
    watch.poll()

    with cloud.nova_compute(stale.host):
        ended = react(periodic_wait=60)

    assert states(ended) == [("succeeded", "finished")]
    assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers)


def test_forged_line_that_names_a_healthy_host_touches_nothing(cloud, watch, log, react):
    """Whoever can write to a log can make us look, and nothing else."""
    healthy = cloud.healthy_host(2)
    log.write(fault(1, healthy.host))
    watch.poll()
    marks = cloud.placement_mark(), cloud.nova_mark()

    ended = react()

    assert states(ended) == [("succeeded", "healthy")]
    assert (cloud.placement_writes_since(marks[0]), cloud.nova_writes_since(marks[1])) == ([], [])


def test_line_of_a_second_nova_compute_with_the_same_node_name_touches_nothing(cloud, watch, log, react):
    """The very same line: the provider is the healthy one of a live host."""
    healthy = cloud.healthy_host(2)
    twin = f"{healthy.host}-twin"
    cloud.compute(twin, healthy.node)
    log.write(fault(1, healthy.node))
    watch.poll()
    mark = cloud.placement_mark()

    ended = react()

    assert [one[1] for one in states(ended)] == ["refused"]
    assert cloud.placement_writes_since(mark) == []


def test_line_with_placements_503_is_no_trigger(watch, log, datastore):
    """The same exception of nova's, and another cause."""
    log.write(fault(1).replace(b"Got 409", b"Got 503"))

    watch.poll()

    assert triggers.read(datastore) == []


def test_placement_that_answers_503_to_us_ends_it_there(cloud, watch, log, react):
    """What cannot be proven is not touched; the run fails and says why."""
    stale = cloud.stale_host(1)
    log.write(fault(1, stale.host))
    watch.poll()
    mark = cloud.placement_mark()

    with FaultProxy(cloud.lab.placement_url) as proxy:
        proxy.fail("503")
        (ended,) = react(clouds_file=cloud.clouds_yaml(placement_url=proxy.url))

    assert ended.status == "failed"
    assert "503" in ended.output["summary"]
    assert cloud.placement_writes_since(mark) == []


# A plan that is refused, held off or finds nothing any more; and those whose plan was made before that.
SAID_SO = {"refused", "skipped", "healthy", "RecoveryUnderWay", "Refused", "PlanChanged"}


class Runs:
    """What recover_host does for a trigger, by the library: as many at once as wanted, over one datastore."""

    def __init__(self, cloud):
        options = cloud.config(store="datastore", automation="when_safe", periodic_wait=60, provider_wait=60)
        self.config = Config.from_mapping(options)
        self._base = open_context(Config.from_mapping({**options, "store": "files"}))

    def store(self):
        """The store over the datastore, for one thread."""
        return open_store(self.config, ActionService(ActionWrapper("placement_recovery", "Recover", "INFO")))

    def trigger(self, host):
        """One run; the plan's state, or the recovery's, and what it says."""
        context = replace(self._base, config=self.config, store=self.store())
        plan = plan_recovery(context, host, Request(automatic=True))[1]
        if plan.state != "ready":
            return plan.state, "; ".join((*plan.refusals, *plan.notes, plan.diagnosis.explanation))
        try:
            journal, _ = save_allocations(context, host, Request(plan.method, plan.unknown, plan.digest), "a trigger")
            for step in METHODS[plan.method]:
                done = run_step(context, journal.saved.id, step.name)
        except PlacementRecoveryError as error:
            return type(error).__name__, str(error)
        return done.state, done.summary

    def at_once(self, hosts):
        """One run for each of these, all begun in the same moment."""
        results, barrier = [None] * len(hosts), threading.Barrier(len(hosts))

        def run(number):
            barrier.wait()
            results[number] = self.trigger(hosts[number])

        threads = [threading.Thread(target=run, args=(number,)) for number in range(len(hosts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


@pytest.fixture
def runs(cloud, datastore):
    """Runs over one datastore."""
    return Runs(cloud)


def test_fifty_triggers_at_once_are_one_recovery(cloud, runs):
    """Forty-nine say that another one is at work, and leave nothing behind."""
    stale = cloud.stale_host(2)

    with cloud.nova_compute(stale.host):
        results = runs.at_once([stale.host] * 50)

    others = sorted(one for one in results if one[0] != "finished")
    assert len(others) == 49
    assert {state for state, _ in others} <= SAID_SO
    assert unfinished(runs.store(), stale.host) == ()
    assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers)
    assert cloud.service(stale.host)["disabled"] is False


def test_ten_hosts_at_once_are_ten_recoveries(cloud, runs):
    """Side by side."""
    stale = [cloud.stale_host(1) for _ in range(10)]
    computes = [cloud.nova_compute(one.host) for one in stale]
    for one in computes:
        one.__enter__()
    try:
        results = runs.at_once([one.host for one in stale])
    finally:
        for one in computes:
            one.__exit__(None, None, None)

    assert [state for state, _ in results] == ["finished"] * 10
    for one in stale:
        assert set(cloud.provider_allocations(one.compute_uuid)) == set(one.servers)
