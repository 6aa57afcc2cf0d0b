"""A second nova-compute reports a live node's name and logs the very same fault; the provider is a healthy host's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST, TWIN = "compute-3", "compute-3-twin"


@pytest.fixture(scope="module")
def story(operator):
    """The twin beside a host with a server, and two tries to recover: by the twin's name and by the node's."""
    server = operator.client.boot("live", HOST)
    admin = operator.client.server(server)["user_id"]
    fault = faults.duplicate_node(operator.lab, HOST)
    before, access = operator.holders(fault.stale_uuid), operator.lab.mark("placement")
    tries = {name: operator.run("recover_host", host=name) for name in (TWIN, HOST)}
    writes = operator.admin_writes(access, admin)
    yield SimpleNamespace(fault=fault, before=before, tries=tries, access=access, admin=admin, writes=writes)
    operator.lab.stop_compute(TWIN)  # its service stays: nova 26 answers 500 where one of namesakes is to be deleted


@pytest.mark.parametrize("name", [TWIN, HOST])
def test_it_is_told_and_refused(story, name):
    """The run fails with the diagnosis and both hosts' names."""
    tried = story.tries[name]
    assert (tried.status, tried.output["state"]) == ("failed", "refused")
    assert "finding: duplicate_node_name" in tried.output["text"]
    assert f"host {TWIN}" in tried.output["summary"]
    assert f"host {HOST}" in tried.output["summary"]


def test_not_one_write_reached_placement(story, operator):
    """By Placement's own log of requests; nova-compute's of the twin go on meanwhile."""
    assert any(f" {story.admin} " in line for line in story.access.lines())
    assert story.writes == []


def test_the_healthy_host_is_as_it_was(story, operator):
    """The same provider, its server's allocation, its service enabled."""
    assert operator.client.provider(HOST)["uuid"] == story.fault.stale_uuid
    assert operator.holders(story.fault.stale_uuid) == story.before
    assert operator.client.service(HOST)["status"] == "enabled"
