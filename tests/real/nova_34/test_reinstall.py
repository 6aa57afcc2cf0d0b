"""A reinstalled host whose old provider an unknown consumer holds: kept by default, dropped by a person's will."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults
from testkit.operator import moved, said

pytestmark = pytest.mark.lab
HOST = "compute-1"


@pytest.fixture(scope="module")
def story(operator):
    """The host is reinstalled, recovered with the orphan kept, reinstalled once more, and recovered without it."""
    lab, client = operator.lab, operator.client
    first = faults.reinstall(lab, HOST)
    client.set_service(HOST, status="disabled", disabled_reason="new disks")
    before = operator.holders(first.stale_uuid)
    kept = operator.recover(HOST)
    after, service = operator.holders(first.new_uuid), client.service(HOST)
    lab.pause("scheduler")
    try:
        unmapped = _reinstall_unseen(operator)
    finally:
        lab.resume("scheduler")
    lab.wait_for_hypervisor(HOST)
    asked = operator.run("recover_host", host=HOST, unknown="drop")
    dropped = operator.recover(HOST, unknown="drop", approve=asked.output["digest"])
    return SimpleNamespace(
        first=first, before=before, kept=kept, after=after, service=service, unmapped=unmapped, asked=asked,
        dropped=dropped,
    )


def _reinstall_unseen(operator):
    """The host comes back reinstalled while nobody maps new hosts to cells; gives how recover_host ends then."""
    operator.lab.stop_compute(HOST)
    operator.client.delete_service(HOST)
    operator.lab.reinstall_compute(HOST)
    return operator.run("recover_host", host=HOST)


def test_the_orphan_is_kept_and_reported(story):
    """It holds the new provider as it held the stale one, and the plan names it."""
    (orphan,) = story.before
    assert story.after == moved(story.before, story.first.stale_uuid, story.first.new_uuid)
    assert f"unknown consumer {orphan} is kept" in said(story.kept, "plan_recovery", "text")


def test_a_service_that_was_disabled_stays_so(story):
    """With its own reason."""
    assert (story.service["status"], story.service["disabled_reason"]) == ("disabled", "new disks")


def test_a_host_that_is_not_mapped_yet_is_told_so(story):
    """nova-compute runs again after `compute service delete`, but nova has not discovered its host."""
    assert (story.unmapped.status, story.unmapped.output["state"]) == ("failed", "refused")
    assert "finding: host_not_mapped" in story.unmapped.output["text"]
    assert "nova-manage cell_v2 discover_hosts" in story.unmapped.output["summary"]


def test_dropping_it_waits_for_approval(story):
    """The orphan is named, with why nobody knows it."""
    (orphan,) = story.before
    assert (story.asked.status, story.asked.output["state"]) == ("succeeded", "needs_approval")
    assert f"unknown {orphan} goes without proof" in " ".join(story.asked.output["text"].split())


def test_the_approved_run_leaves_nothing_behind(story, operator):
    """The orphan holds nothing anywhere, and a new server boots on the host."""
    (orphan,) = story.before
    assert operator.client.allocations(orphan) == {}
    assert operator.client.boot("after", HOST)
