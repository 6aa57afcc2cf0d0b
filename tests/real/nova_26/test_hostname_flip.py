"""The host's name flips while servers run and moves wait for their owners; preserve brings all of it back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults
from testkit.operator import moved, said

pytestmark = pytest.mark.lab
HOST, ELSEWHERE = "compute-0", "compute-4"


@pytest.fixture(scope="module")
def story(operator):
    """Three live servers, two that wait in VERIFY_RESIZE since before the flip, and the recovery."""
    client = operator.client
    servers = client.boot_many(["live-1", "live-2", "live-3", "reverted", "confirmed"], HOST)
    for name in ("reverted", "confirmed"):
        client.migrate(servers[name], ELSEWHERE)
    fault = faults.hostname_flip(operator.lab, HOST)
    before = operator.holders(fault.stale_uuid)
    owners = operator.allocations(servers.values())
    recovered = operator.recover(HOST, method="preserve")
    after = operator.holders(fault.new_uuid)
    return SimpleNamespace(
        servers=servers, fault=fault, before=before, owners=owners, recovered=recovered, after=after
    )


def test_a_plan_of_which_all_is_proven_needs_no_approval(story):
    """One run of recover_host was enough."""
    assert story.recovered.output["state"] == "finished"
    assert "keep 5, trim 0, drop 0" in said(story.recovered, "plan_recovery")


def test_every_consumer_holds_what_it_held(story):
    """Three servers and the source parts of two moves: the same amounts, on the new provider."""
    assert len(story.before) == 5
    assert story.after == moved(story.before, story.fault.stale_uuid, story.fault.new_uuid)


def test_the_service_is_enabled_as_before(story, operator):
    """And no reason of ours is left at it."""
    service = operator.client.service(HOST)
    assert (service["status"], service["disabled_reason"], service["state"]) == ("enabled", None, "up")


def test_no_claim_is_left(story, operator):
    """Neither on a provider nor among Placement's traits."""
    assert operator.locks() == []


def test_novas_periodic_leaves_it_so(story, operator):
    """nova-compute went through its allocations, and none has changed."""
    live = {uuid: parts for uuid, parts in story.after.items() if uuid in story.servers.values()}
    operator.await_periodic(HOST)
    assert operator.allocations(live) == live


def test_a_new_server_boots_on_the_host(story, operator):
    """The scheduler finds the host again, and the server's allocation is on the new provider."""
    booted = operator.client.boot("after", HOST)
    assert list(operator.client.allocations(booted)) == [story.fault.new_uuid]


def test_a_move_from_before_can_be_reverted(story, operator):
    """The server comes back to the host and gets there what its migration held for it."""
    server = story.servers["reverted"]
    assert operator.client.revert(server)["OS-EXT-SRV-ATTR:host"] == HOST
    assert list(operator.client.allocations(server)) == [story.fault.new_uuid]


def test_a_move_from_before_can_be_confirmed(story, operator):
    """The server keeps its place elsewhere, and nothing stays on the host for it."""
    server = story.servers["confirmed"]
    held = operator.client.allocations_of_provider(story.fault.new_uuid)
    assert operator.client.confirm(server)["OS-EXT-SRV-ATTR:host"] == ELSEWHERE
    assert operator.client.allocations(server) == story.owners[server]
    assert len(operator.client.allocations_of_provider(story.fault.new_uuid)) == len(held) - 1
