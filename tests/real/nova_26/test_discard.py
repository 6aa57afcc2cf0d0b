"""discard gives the servers' allocations up: only a person may want that, and only once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST, ELSEWHERE = "compute-2", "compute-4"


@pytest.fixture(scope="module")
def story(operator):
    """Live servers, and one that is moved away but not confirmed; asked, asked wrongly, and approved."""
    client = operator.client
    servers = client.boot_many(["live-1", "live-2", "moved"], HOST)
    client.migrate(servers["moved"], ELSEWHERE)
    fault = faults.hostname_flip(operator.lab, HOST)
    before = operator.holders(fault.stale_uuid)
    moved = client.allocations(servers["moved"])
    asked = operator.run("recover_host", host=HOST, method="discard")
    wrong = operator.run("recover_host", host=HOST, method="discard", approve="0" * 8)
    between = operator.holders(fault.stale_uuid)
    approved = operator.recover(HOST, method="discard", approve=asked.output["digest"])
    return SimpleNamespace(
        servers=servers, fault=fault, before=before, moved=moved, asked=asked, wrong=wrong, between=between,
        approved=approved,
    )


def test_it_waits_for_approval(story):
    """Though all is proven: nothing has changed, and the words to type are shown."""
    assert (story.asked.status, story.asked.output["state"]) == ("succeeded", "needs_approval")
    assert story.asked.output["next"].endswith(f"method=discard approve={story.asked.output['digest']}")
    assert len(story.before) == 3
    assert story.between == story.before


def test_another_digest_is_no_approval(story):
    """The plan as it is now is shown again."""
    assert (story.wrong.status, story.wrong.output["state"]) == ("succeeded", "needs_approval")
    assert "00000000 is not this plan's" in story.wrong.output["summary"]


def test_the_allocations_are_gone(story, operator):
    """Nobody holds the new provider, and the server that was moved away still holds its place there."""
    assert operator.client.allocations_of_provider(story.fault.new_uuid) == {}
    assert operator.client.allocations(story.servers["moved"]) == story.moved


def test_the_service_stays_disabled_while_servers_run_there_without_allocations(story, operator):
    """And the run says how many, and what to type once none does."""
    service = operator.client.service(HOST)
    assert service["status"] == "disabled"
    assert service["disabled_reason"].endswith("servers run here without allocations")
    told = story.approved.output["summary"]
    assert f"the compute service of {HOST} stays disabled, for 2 servers run there without allocations" in told
    assert f"openstack compute service set --enable {HOST} nova-compute" in told


def test_once_they_are_deleted_a_new_server_boots_on_the_host(story, operator):
    """The scheduler finds the host again when it is enabled."""
    for name in ("live-1", "live-2"):
        operator.client.delete(story.servers[name])
    operator.client.set_service(HOST, status="enabled")
    assert operator.client.boot("after", HOST)
