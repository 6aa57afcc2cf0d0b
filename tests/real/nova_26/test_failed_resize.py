"""A resize that failed left an orphan behind: nobody knows its owner, so a person has to let it go."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST = "compute-1"


@pytest.fixture(scope="module")
def story(operator):
    """The fault; a run with unknown=drop that has no approval; and the run that has it."""
    fault = faults.failed_resize(operator.lab, HOST)
    left = operator.holders(fault.stale_uuid)
    kept = operator.plan(HOST)
    asked = operator.run("recover_host", host=HOST, unknown="drop")
    between = operator.holders(fault.stale_uuid)
    approved = operator.recover(HOST, unknown="drop", approve=asked.output["digest"])
    return SimpleNamespace(fault=fault, left=left, kept=kept, asked=asked, between=between, approved=approved)


def test_the_plan_tells_what_the_orphan_likely_is(story):
    """It would be kept, and is reported with what it likely is and how to drop it."""
    (orphan,) = story.left
    (note,) = [one for one in story.kept["notes"] if orphan in one]
    assert story.kept["state"] == "ready"
    assert "likely the leftover of a failed move" in note
    assert "unknown=drop" in note


def test_dropping_it_waits_for_approval(story):
    """The run succeeds, says what to type, and has changed nothing."""
    assert (story.asked.status, story.asked.output["state"]) == ("succeeded", "needs_approval")
    assert story.asked.output["next"].endswith(f"unknown=drop approve={story.asked.output['digest']}")
    assert story.between == story.left


def test_the_approved_run_leaves_nothing_behind(story, operator):
    """The new provider is empty."""
    assert operator.client.provider(HOST)["uuid"] == story.fault.new_uuid
    assert operator.client.allocations_of_provider(story.fault.new_uuid) == {}


def test_a_new_server_boots_on_the_host(story, operator):
    """The scheduler finds the host again."""
    assert operator.client.boot("after", HOST)
