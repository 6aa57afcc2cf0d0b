"""The sample logs of real nova-computes: the faults in them, and the other failures."""

from __future__ import annotations

import pytest

from placement_recovery.detection.logs import Fault, OtherFailure, read_file
from testkit.logs.forms import SAMPLES

MIGRATION = "nova-26-name-conflict-after-failed-migration.log"
JSON = "nova-26-name-conflict-json.log"
REINSTALLED = "nova-34-name-conflict.log"
DROPPED = "nova-34-connection-dropped-on-create.log"
UNAVAILABLE = "nova-34-placement-503-on-create.log"
ALL_DOWN = "nova-34-placement-503.log"


def faults_in(name):
    """The faults of one sample, in its order."""
    return [event for event in read_file(SAMPLES / name) if isinstance(event, Fault)]


def test_a_failed_migration_leaves_a_fault_at_start_and_at_each_periodic():
    """Lines 633, 676 and 746 are 409s, each with its exception on the next line; a 201 before them is no fault."""
    assert [fault.time for fault in faults_in(MIGRATION)] == [
        "2026-11-22 11:00:03.701",
        "2026-11-22 11:01:02.282",
        "2026-11-22 11:02:02.502",
    ]


def test_json_holds_one_fault():
    """Line 18 is the 409, line 19 the exception: its message is short, the exception is in error_summary."""
    assert faults_in(JSON) == [
        Fault(
            host="vm",
            node="compute-0",
            provider_name="compute-0",
            compute_node_uuid="e0e7f80e-9f93-4182-a5a9-bb536b99fbf8",
            time="2026-11-22 11:02:58.964",
            request_id="req-fb63213a-388c-4027-8014-f04f214e736b",
            file=str(SAMPLES / JSON),
        )
    ]


def test_a_reinstalled_host_meets_the_fault_at_start_and_at_the_periodic():
    """Lines 19 and 61 are 409s; the 404 and the traceback lines around them, which end in the exception, are none."""
    found = [(fault.compute_node_uuid, fault.request_id, fault.host) for fault in faults_in(REINSTALLED)]
    assert found == [
        ("8c5b2c05-282e-4600-9a91-133ae31245c3", "req-3aa09768-5c49-4602-97e1-466ca47c0362", "compute-0"),
        ("8c5b2c05-282e-4600-9a91-133ae31245c3", "req-5acf6b1c-ebec-489a-86ac-b4e9216c3edf", "compute-0"),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        (DROPPED, "unreachable", "RemoteDisconnected"),  # lines 2 and 37 warn, lines 3 and 38 bear the exception
        (UNAVAILABLE, "unavailable", "Placement answered 503"),  # lines 2 and 43, then 3 and 44
    ],
)
def test_the_same_exception_from_another_cause_is_another_failure(name, kind, words):
    """Both logs have the exception twice, and no 409: they hold no fault."""
    events = list(read_file(SAMPLES / name))
    assert [(type(event), event.kind, event.node) for event in events] == [(OtherFailure, kind, "compute-0")] * 2
    assert all(words in event.cause for event in events)


def test_a_placement_that_is_down_entirely_gives_no_event():
    """nova fails earlier, at a read, with another exception."""
    assert list(read_file(SAMPLES / ALL_DOWN)) == []


@pytest.mark.parametrize("name", [MIGRATION, JSON, REINSTALLED])
def test_a_log_of_faults_holds_no_other_failure(name):
    """Each exception in them follows its 409, so each is reported once, as a fault."""
    assert all(isinstance(event, Fault) for event in read_file(SAMPLES / name))
