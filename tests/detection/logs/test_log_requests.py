"""Which lines belong together, and when a fault is reported: never lost, never twice."""

from __future__ import annotations

import json

import pytest

from placement_recovery.detection.logs import Fault, LogParser, OtherFailure
from placement_recovery.detection.logs.correlator import MOST_PENDING, WINDOW
from testkit.logs import forms
from testkit.logs.nova_lines import answered, as_bytes, conflict, failed, line

OTHER_UUID = "00000000-282e-4600-9a91-133ae31245c3"
OTHER_REQUEST = "req-00000000-5c49-4602-97e1-466ca47c0362"


def read(*lines):
    """All events of a log with these lines."""
    parser = LogParser()
    return parser.feed(as_bytes(*lines)) + parser.close()


def reported(events):
    """Kind (fault for a fault), node and provider of each event."""
    return [(getattr(event, "kind", "fault"), event.node, event.provider_name) for event in events]


def test_a_fault_is_reported_with_its_second_line():
    """Not before: the second line names the node."""
    parser = LogParser()
    assert parser.feed(as_bytes(conflict())) == []
    assert reported(parser.feed(as_bytes(failed()))) == [("fault", "compute-0", "compute-0")]
    assert parser.close() == []


def test_a_child_provider_may_be_the_one_that_conflicts():
    """The node is nova's, the provider Placement's."""
    child = "compute-0_0000:81:00.0"
    assert reported(read(conflict(child), failed(name=child))) == [("fault", "compute-0", child)]


def test_a_provider_name_may_hold_more_than_a_host_name():
    """Blanks, quotes and letters of any alphabet, which Placement's JSON escapes."""
    name = 'compute-ä "0" pci'
    assert reported(read(conflict(name), failed(name=name))) == [("fault", "compute-0", name)]


def test_a_node_may_be_a_full_name():
    """The dot that ends nova's sentence is not part of it."""
    assert reported(read(conflict("c0.example.org"), failed("c0.example.org"))) == [
        ("fault", "c0.example.org", "c0.example.org")
    ]


def test_interleaved_requests_are_kept_apart():
    """Two threads: one meets a conflict, the other a Placement that is unavailable."""
    events = read(
        conflict("compute-0"),
        answered(503, "<html>", request=OTHER_REQUEST),
        failed("compute-1", request=OTHER_REQUEST),
        failed("compute-0"),
    )
    assert reported(events) == [("unavailable", "compute-1", "compute-1"), ("fault", "compute-0", "compute-0")]


def test_interleaved_processes_are_kept_apart():
    """Central logs hold several computes, which may use the same request id."""
    events = read(conflict(process=1), answered(500, "boom", process=2), failed(process=2), failed(process=1))
    assert reported(events) == [("unavailable", "compute-0", "compute-0"), ("fault", "compute-0", "compute-0")]


def test_interleaved_hosts_are_kept_apart():
    """Process and request id are the same; only the header differs."""
    lines = [conflict("a"), failed("a"), conflict("b"), failed("b")]
    hosts = ["rack-a", "rack-a", "rack-b", "rack-b"]
    headed = [f"Nov 22 11:00:32 {host} nova-compute: {text}" for host, text in zip(hosts, lines)]
    events = read(headed[0], headed[2], headed[3], headed[1])
    assert [(event.host, event.node) for event in events] == [("rack-b", "b"), ("rack-a", "a")]


def test_one_request_may_update_several_nodes():
    """A compute service with many nodes: the provider's name assigns the lines."""
    causes = [conflict("a"), answered(503, "", uuid=OTHER_UUID), conflict("b")]
    events = read(*causes, failed("b"), failed("c"), failed("a"))
    assert reported(events) == [("fault", "b", "b"), ("unavailable", "c", "c"), ("fault", "a", "a")]


def test_lines_without_a_request_id_are_joined_by_process_and_name():
    """A format without the context's ids."""
    assert reported(read(conflict(request=""), failed(request=""))) == [("fault", "compute-0", "compute-0")]


def test_a_warning_of_another_thread_does_not_hide_the_conflict():
    """nova's periodic tasks share one request id."""
    warning = line("nova.scheduler.client.report", "Placement API service is not responding.", level="WARNING")
    assert reported(read(conflict(), warning, failed())) == [("fault", "compute-0", "compute-0")]


def test_a_warning_of_another_thread_does_not_hide_an_answer():
    """What Placement answered to the creation is the cause."""
    warning = line("nova.scheduler.client.report", "Placement API service is not responding.", level="WARNING")
    assert reported(read(answered(503, "<html>"), warning, failed())) == [("unavailable", "compute-0", "compute-0")]


def test_a_context_may_name_a_server():
    """oslo.log puts the context's resource before the message."""
    head, message = conflict().split("] ", 1)
    named = f"{head}] [instance: {OTHER_UUID}] {message}"
    assert reported(read(named, failed())) == [("fault", "compute-0", "compute-0")]


def test_a_warning_alone_is_not_an_event():
    """Any call may have caused it, and nova retries."""
    assert read(line("nova.scheduler.client.report", "Placement API service is not responding.", level="WARNING")) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "denied"), (403, "denied"), (500, "unavailable"), (503, "unavailable"), (400, "rejected")],
)
def test_other_answers_are_other_failures(status, kind):
    """A recovery would destroy a healthy provider."""
    (event,) = read(answered(status, '{"errors": []}'), failed())
    assert isinstance(event, OtherFailure)
    assert (event.kind, event.cause) == (kind, f"Placement answered {status} to the creation")


def test_credentials_that_do_not_work_are_another_failure():
    """nova then gets no answer at all."""
    warning = line("nova.scheduler.client.report", "Placement service credentials do not work.", level="WARNING")
    assert reported(read(warning, failed())) == [("denied", "compute-0", "compute-0")]


def test_a_failed_update_without_a_cause_is_another_failure():
    """The line before was rotated away, or nova did not repeat its warning."""
    assert reported(read(failed())) == [("unknown", "compute-0", "compute-0")]


def test_another_exception_does_not_confirm_the_conflict():
    """The node's line may concern something else; the conflict is reported anyway."""
    other = line("nova.compute.manager", "Error updating resources for node compute-1.: ValueError: boom")
    assert reported(read(conflict(), other)) == [("fault", "compute-0", "compute-0")]


def test_a_wrong_configuration_is_not_a_failed_creation():
    """Without the dot before the colon it is another line of nova's."""
    text = failed().replace("compute-0.:", "compute-0:")
    assert read(text) == []


def test_a_name_and_uuid_that_exist_are_not_a_stale_provider():
    """Placement names both columns if the provider is the node's own."""
    answer = conflict_with_uuid()
    assert reported(read(answered(409, answer), failed())) == [("rejected", "compute-0", "compute-0")]


def conflict_with_uuid():
    """Placement's answer if name and UUID are both taken."""
    detail = f"Conflicting resource provider name: compute-0, uuid: {OTHER_UUID} already exists."
    return json.dumps({"errors": [{"status": 409, "detail": detail}]})


def test_a_conflict_without_its_second_line_is_reported_at_the_end():
    """The log ends there: the name stands for the node."""
    assert reported(read(conflict())) == [("fault", "compute-0", "compute-0")]


def test_a_conflict_without_its_second_line_is_reported_when_it_repeats():
    """One of them came from a server's start, which nova logs differently; both are reported."""
    assert reported(read(conflict(), conflict(), failed())) == [("fault", "compute-0", "compute-0")] * 2


def test_a_conflict_without_its_second_line_is_reported_after_a_window():
    """The follower of a busy log does not wait for its end."""
    parser = LogParser()
    parser.feed(as_bytes(conflict()))
    harmless = as_bytes(line("nova.service", "Starting compute node"))
    events = parser.feed(harmless * (1 + WINDOW // len(harmless)))
    assert reported(events) == [("fault", "compute-0", "compute-0")]
    assert parser.close() == []


def test_flush_reports_a_quiet_log_once():
    """The second line may still come."""
    parser = LogParser()
    parser.feed(as_bytes(conflict()))
    assert reported(parser.flush()) == [("fault", "compute-0", "compute-0")]
    assert parser.flush() == []
    assert parser.feed(as_bytes(failed())) + parser.close() == []


def test_after_a_flush_the_next_periodic_is_a_fault_of_its_own():
    """nova meets the conflict again every minute."""
    parser = LogParser()
    parser.feed(as_bytes(conflict()))
    parser.flush()
    assert reported(parser.feed(as_bytes(conflict(), failed()))) == [("fault", "compute-0", "compute-0")]


def test_another_failure_without_its_second_line_is_reported_at_the_end():
    """The node is unknown."""
    (event,) = read(answered(503, "<html>"))
    assert (event.kind, event.node, event.host) == ("unavailable", "", "")


def test_number_of_pending_causes_is_bounded():
    """The oldest is reported and dropped."""
    parser = LogParser()
    events = parser.feed(as_bytes(*(conflict(f"c{number}") for number in range(MOST_PENDING + 3))))
    assert [event.node for event in events] == ["c0", "c1", "c2"]
    assert len(parser.close()) == MOST_PENDING


def test_a_rotation_between_both_lines_loses_and_doubles_nothing():
    """The follower continues in the new file with the same parser."""
    parser = LogParser(file="nova-compute.log")
    old, new = as_bytes(conflict()), as_bytes(failed())
    assert [type(event) for event in parser.feed(old) + parser.feed(new) + parser.close()] == [Fault]


def test_two_parsers_at_a_rotation_report_the_fault_once():
    """Read separately, the first file gives the fault, the second one none."""
    first, second = LogParser(), LogParser()
    events = first.feed(as_bytes(conflict())) + first.close() + second.feed(as_bytes(failed())) + second.close()
    assert [getattr(event, "kind", "fault") for event in events] == ["fault", "unknown"]


@pytest.mark.parametrize("form", ["plain", "docker_split", "cri_split", "oslo_json", "journal_json_in_numbers"])
def test_a_reader_that_was_killed_continues_where_it_was(form):
    """Killed after any byte, and restarted from its state as JSON: the same faults, each once."""
    lines = forms.sample("nova-34-name-conflict.log")[18:21]
    data = forms.as_bytes(forms.ALL[form](lines))
    whole = _read_with_a_restart(data, len(data))
    assert len(whole) == 1
    assert all(_read_with_a_restart(data, cut) == whole for cut in range(0, len(data), 3))


def test_a_reader_that_was_killed_within_an_endless_line_finds_its_end():
    """The rest of that line is not a line."""
    data = b"x" * 2_000_000 + as_bytes(conflict()) + as_bytes(conflict("c1"), failed("c1"))
    assert [event.node for event in _read_with_a_restart(data, 1_500_000)] == ["c1"]


def _read_with_a_restart(data, cut):
    parser = LogParser()
    events = parser.feed(data[:cut])
    successor = LogParser(state=json.loads(json.dumps(parser.state())))
    return events + successor.feed(data[successor.position :]) + successor.close()


def test_a_quiet_parser_keeps_little():
    """Thousands of files are followed by one sensor."""
    parser = LogParser()
    parser.feed((forms.SAMPLES / "nova-34-name-conflict.log").read_bytes())
    assert len(json.dumps(parser.state())) < 150
