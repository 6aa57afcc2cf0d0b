"""Text that merely quotes the fault is not a fault."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from placement_recovery.detection.logs import LogParser
from testkit.logs.nova_lines import UUID, answered, as_bytes, conflict, conflict_answer, failed, line

QUOTED = conflict().split("] ", 1)[1]


def read(*lines):
    """All events of a log with these lines, of every kind."""
    parser = LogParser()
    return parser.feed(as_bytes(*lines)) + parser.close()


@pytest.mark.parametrize(
    "other",
    [
        line("nova.compute.manager", f"[instance: {UUID}] Failed to build {QUOTED}"),
        line("nova.compute.manager", f"[instance: {UUID}] {QUOTED}"),
        line("nova.scheduler.client.report", QUOTED, level="DEBUG"),
        line("nova.scheduler.client.report", QUOTED, level="INFO"),
        line("nova.scheduler.client.report.other", QUOTED),
        line("nova.api.openstack.requestlog", "GET /servers?name=" + quote(QUOTED), level="INFO"),
        line("nova.api.openstack.wsgi", json.dumps({"server": {"name": QUOTED}}), level="DEBUG"),
        line("keystoneauth.session", "RESP BODY: " + QUOTED, level="DEBUG"),
        json.dumps({"name": "app", "levelname": "ERROR", "message": conflict()}),
        json.dumps({"name": "nova.scheduler.client.report", "levelname": "ERROR", "message": "quoted: " + QUOTED}),
        json.dumps({"name": "nova.scheduler.client.report", "levelname": "INFO", "message": QUOTED}),
        json.dumps({"name": "nova.api", "levelname": "ERROR", "message": "x", "args": {"log": conflict()}}),
        json.dumps({"name": "nova.api", "levelname": "ERROR", "message": "x", "extra": {"MESSAGE": conflict()}}),
    ],
)
def test_a_record_of_another_logger_or_level_is_nothing(other):
    """Where the header tells which logger of nova's wrote it, and how bad it is, that counts."""
    assert read(other) == []


@pytest.mark.parametrize("wrapped", ["{}", "<187>Nov 22 11:00:32 nova-compute: {}"])
def test_a_failed_update_of_another_logger_or_level_is_nothing(wrapped):
    """The same for nova's second line."""
    text = failed().split("] ", 1)[1]
    assert read(wrapped.format(line("nova.virt.libvirt.driver", text))) == []
    assert read(wrapped.format(line("nova.compute.manager", text, level="INFO"))) == []


@pytest.mark.parametrize(
    "quoting",
    [
        line("nova.scheduler.client.report", "body: " + QUOTED),
        line("nova.virt.libvirt.driver", f"Instance metadata: {{'note': '{conflict()}'}}"),
        QUOTED,
        " " + conflict(),
        "> " + conflict(),
        f"Nov 22 11:00:32 compute-0 sshd[77]: Invalid user {conflict()} from 192.0.2.7",
        f"Nov 22 11:00:32 compute-0 nova-compute[2728]: seen: {conflict()}",
        json.dumps({"message": {"log": conflict()}}),
        json.dumps({"text": conflict()}),
        json.dumps({"log": "said: " + conflict() + "\n", "stream": "stdout"}),
        json.dumps({"MESSAGE": "said: " + conflict()}),
        json.dumps({"MESSAGE": f"somebody wrote:\n{conflict()}"}),
        f"2026-11-22 11:00:32.672 1 ERROR nova.scheduler.client.report [req-1 x] {QUOTED}] [None] Failed: x.",
    ],
)
def test_a_quoted_line_is_one_fault_at_most(quoting):
    """It cannot be told from nova's own in a wrapper that nobody knows; the API refuses it at one look."""
    (event,) = read(quoting, quoting)[:1]
    assert (event.node, event.compute_node_uuid) == ("compute-0", UUID)


def test_in_a_plain_file_a_line_break_cannot_be_distinguished_from_a_real_one():
    """The bytes are the same: this fault is reported, and the proof by the API has to refuse it."""
    assert len(read(f"somebody wrote:\n{conflict()}")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        conflict_answer("name: compute-0")[:-1],
        conflict_answer("name: compute-0").replace('"status": 409', '"status": 500'),
        conflict_answer("name: compute-0").replace('"errors"', '"quoted"'),
        conflict_answer(f"uuid: {UUID}"),
        conflict_answer("name: compute-0").replace("already exists.", "does not exist."),
        conflict_answer("name: compute-0").replace("Conflicting", "He said: Conflicting"),
        conflict_answer("name: \u0007"),
        conflict_answer(f"name: {'x' * 201}"),
        '{"errors": {"status": 409}}',
        '{"errors": [null, {"status": 409, "detail": null}]}',
        "Conflicting resource provider name: compute-0 already exists.",
        "[" * 100_000,
    ],
)
def test_a_409_without_placements_own_words_is_another_failure(answer):
    """Placement's own words, at their own place in its own answer, or no fault."""
    assert [event.kind for event in read(answered(409, answer), failed())] == ["rejected"]


@pytest.mark.parametrize("status", [200, 400, 401, 404, 500, 503])
def test_the_words_with_another_status_are_another_failure(status):
    """Placement before 6.0 answers 500 to the same conflict on some databases: then the audit finds it, not the log."""
    (event,) = read(answered(status, conflict_answer("name: compute-0")), failed())
    assert f"answered {status}" in event.cause
