"""Everything dies in the middle of preserve, and owners and nova go on: resuming gives back what is still theirs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults
from testkit.operator import moved

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST, ELSEWHERE = "compute-2", "compute-4"


@pytest.fixture(scope="module")
def story(operator):
    """A crash when the stale provider is gone; one server deleted, one moved for good; periodics; the resume."""
    client = operator.client
    servers = client.boot_many(["live-1", "live-2", "deleted", "migrated"], HOST)
    fault = faults.database(operator.lab, HOST)
    before = operator.holders(fault.stale_uuid)
    with operator.start("recover_host", host=HOST, method="preserve") as running:
        running.wait_for("ended", "delete_resource_provider", timeout=120)
        running.crash()
        crashed = running.wait(60)
    operator.lab.wait_for_provider(HOST)
    away = operator.holders(fault.new_uuid)
    unfinished = operator.run("show_recoveries", host=HOST).output["recoveries"]
    client.delete(servers["deleted"])
    client.migrate(servers["migrated"], ELSEWHERE)
    client.confirm(servers["migrated"])
    operator.await_periodic(HOST)
    service = client.service(HOST)
    again = operator.run("recover_host", host=HOST)
    resumed = operator.resume(unfinished[0]["id"])
    return SimpleNamespace(
        servers=servers, fault=fault, before=before, crashed=crashed, away=away, unfinished=unfinished,
        service=service, again=again, resumed=resumed,
    )


def test_a_crash_leaves_a_record_that_says_how_to_go_on(story):
    """It is open, and names the words to type."""
    assert (story.crashed.status, story.away) == ("abandoned", {})
    (row,) = story.unfinished
    assert row["state"] == "open"
    assert row["next"] == f"st2 run placement_recovery.resume_recovery recovery_id={row['id']}"


def test_the_host_stays_disabled_until_then(story):
    """It looks empty, and would be filled."""
    assert story.service["status"] == "disabled"
    assert story.unfinished[0]["id"] in story.service["disabled_reason"]


def test_the_host_is_not_called_healthy(story):
    """It has its provider again, but the servers' allocations are away: a new run says what to type."""
    assert (story.again.status, story.again.output["state"]) == ("failed", "refused")
    assert f"recovery {story.unfinished[0]['id']} of {HOST} is not finished" in story.again.output["summary"]
    assert story.unfinished[0]["next"] in story.again.output["summary"]


def test_resuming_gives_the_servers_their_allocations_back(story, operator):
    """The same amounts, on the provider that nova-compute made meanwhile."""
    stayed = [story.servers["live-1"], story.servers["live-2"]]
    expected = moved({one: story.before[one] for one in stayed}, story.fault.stale_uuid, story.fault.new_uuid)
    assert operator.holders(story.fault.new_uuid) == expected


def test_nobody_is_resurrected(story, operator):
    """Neither the deleted server nor the one that moved away, also after nova's periodic."""
    operator.await_periodic(HOST)
    held = operator.client.allocations_of_provider(story.fault.new_uuid)
    assert set(held) == {story.servers["live-1"], story.servers["live-2"]}
    assert operator.client.allocations(story.servers["deleted"]) == {}
    home = operator.client.provider(ELSEWHERE)["uuid"]
    assert operator.client.allocations(story.servers["migrated"]) == {home: {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1}}


def test_the_host_is_as_before(story, operator):
    """Its service is enabled, no lock is left, and a new server boots."""
    assert operator.client.service(HOST)["status"] == "enabled"
    assert operator.locks() == []
    assert operator.client.boot("after", HOST)
