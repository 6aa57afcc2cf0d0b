"""recover_host as the rule starts it, through the runner: the workflow's YAML and the real actions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.stackstorm import runner
from testkit.automatic import payloads


@pytest.fixture
def run(cloud, tmp_path):
    """Run an action with these parameters, typed by alice, over one datastore; `run.sent()` gives the payloads."""
    datastore = tmp_path / "datastore.sqlite"
    config = cloud.config(store="datastore")

    def start(action="recover_host", **parameters):
        return runner.run(
            f"placement_recovery.{action}",
            parameters,
            api_user="alice",
            config=config,
            datastore=datastore,
            python=Path(sys.executable),
        )

    start.sent = lambda: payloads(datastore)
    return start


def test_a_trigger_is_told_once_and_then_held_off(cloud, run):
    """Both runs succeed: nothing is wrong with either. No template in a server's name is rendered on the way."""
    host = cloud.stale_host(1)
    server = cloud.server(host=None, vm_state="error", name="{{ no_such_variable }}")
    cloud.allocate(server, {host.stale_uuid: {"VCPU": 1}})
    first, second = run(host=host.host, automatic=True), run(host=host.host, automatic=True)
    assert (first.status, first.output["state"]) == ("succeeded", "needs_approval")
    assert (second.status, second.output["state"]) == ("succeeded", "skipped")
    (payload,) = run.sent()
    assert payload["digest"] == first.output["digest"]
    assert "{ { no_such_variable }}" in payload["text"]


def test_a_trigger_that_is_refused_fails_with_the_reason(cloud, run):
    """It is remembered, and nobody is asked to approve what must not be done."""
    node = cloud.healthy_host().node
    cloud.compute(f"{node}-b", node)
    first, second = run(host=f"{node}-b", automatic=True), run(host=f"{node}-b", automatic=True)
    assert (first.status, first.output["state"]) == ("failed", "refused")
    assert "Give one of the nodes another name" in first.output["summary"]
    assert (second.status, second.output["state"]) == ("succeeded", "skipped")
    assert run.sent() == []


def test_the_digest_alone_recovers_by_the_method_that_was_shown(cloud, run):
    """Shown with discard, approved with the digest: the host's servers are given up, and the record says by whom."""
    host = cloud.stale_host(1)
    shown = run(host=host.host, method="discard")
    assert (shown.status, shown.output["state"]) == ("succeeded", "needs_approval")
    with cloud.nova_compute(host.host):
        done = run(host=host.host, method="approved", approve=shown.output["digest"])
    assert (done.status, done.output["state"]) == ("succeeded", "finished")
    assert cloud.allocations(host.servers[0]) == {}
    shown = run("show_host", host=host.host)
    assert [one["state"] for one in shown.output["recoveries"]] == ["finished"]
    recovery = run("show_recoveries", recovery_id=done.output["recovery_id"])
    assert recovery.output["started_by"] == "alice"
    assert run.sent() == []


def test_a_person_is_not_told_by_trigger(cloud, run):
    """Whoever asks reads the answer; an unknown digest runs nothing."""
    host = cloud.stale_host(1).host
    done = run(host=host, method="approved", approve="0123abcd")
    assert (done.status, done.output["state"]) == ("succeeded", "needs_approval")
    assert run.sent() == []
