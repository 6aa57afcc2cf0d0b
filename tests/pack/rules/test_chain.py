"""From a line in a log to the end of recover_host: what is proven is recovered, and nothing else is touched."""

from __future__ import annotations

from lab.openstack.proxy import FaultProxy
from lab.stackstorm import triggers
from testkit.nova_log import fault


def states(executions):
    """How each run ended, and in which state of the plan or the recovery."""
    return [(one.status, (one.output or {}).get("state")) for one in executions]


def test_line_of_a_broken_host_recovers_it(cloud, watch, log, react):
    """The line, the trigger, the rule, the proof, the recovery."""
    stale = cloud.stale_host(2)
    log.write(fault(1, stale.host))
    watch.poll()

    with cloud.nova_compute(stale.host):
        ended = react()

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
