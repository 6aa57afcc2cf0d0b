"""What is answered reads well, and is there whatever the result is."""

from __future__ import annotations

import pytest

NOTHING = (None, "None", {}, {"output": None, "errors": []}, {"result": "None", "stderr": "Traceback", "exit_code": 1})
HOSTED = ("recover_rp", "rp_approve", "rp_resume", "rp_rollback", "rp_status", "rp_audit")
PLAN = {
    "summary": "compute-0 has the stale provider 1058; keep 3, trim 0, drop 1; needs approval: unknown 77 goes",
    "brief": "drop unknown 77: no server has this UUID",
    "state": "needs_approval",
    "digest": "3f9a2c1b",
    "next": "st2 run placement_recovery.recover_host host=compute-0 unknown=drop approve=3f9a2c1b",
    "text": "a long table",
    "recovery_id": "",
}
RESUME = "st2 run placement_recovery.resume_recovery recovery_id=e6bdfaaa2a"


@pytest.mark.parametrize("alias", HOSTED)
@pytest.mark.parametrize("result", NOTHING)
def test_nothing_is_said_in_one_line(chat, alias, result):
    """A run that was killed or canceled has no result: the answer is its status, and where to look."""
    answer = chat.answer(alias, result, status="timeout", host="compute-0")
    assert answer.count("\n") == 0
    assert "timeout, without a result. See execution 5f3c" in answer


@pytest.mark.parametrize("alias", ["recover_rp", "rp_approve"])
def test_a_plan_that_needs_approval_says_what_to_type(chat, alias):
    """What was found, what would go, and the words."""
    assert chat.answer(alias, {"output": PLAN}, host="compute-0") == (
        f"{PLAN['summary']}\n{PLAN['brief']}\nTo approve it: `rp-approve compute-0 3f9a2c1b`"
    )


def test_a_dry_run_says_what_to_type(chat):
    """With the parameters that it was asked with."""
    command = "st2 run placement_recovery.recover_host host=compute-0 unknown=drop"
    plan = {**PLAN, "state": "ready", "summary": "compute-0 has a stale provider", "brief": "", "next": command}
    assert chat.answer("recover_rp", {"output": plan}, host="compute-0") == (
        "compute-0 has a stale provider\nTo run it: `recover-rp compute-0 unknown=drop`"
    )


@pytest.mark.parametrize("state", ["healthy", "finished", "failed", "skipped"])
def test_an_end_is_one_line(chat, state):
    """The summary says it all."""
    plan = {**PLAN, "state": state, "summary": "compute-0 is what it is"}
    assert chat.answer("recover_rp", {"output": plan}, host="compute-0") == "compute-0 is what it is"


@pytest.mark.parametrize("alias", ["recover_rp", "rp_approve", "rp_resume", "rp_rollback"])
def test_a_failure_says_what_to_type_in_the_chats_words(chat, alias):
    """The library says it for a terminal."""
    output = {"summary": f"lock_provider: no answer. Go on with '{RESUME}'", "state": "failed"}
    assert chat.answer(alias, {"output": output}, status="failed", host="compute-0") == (
        "lock_provider: no answer. Go on with 'rp-resume compute-0'"
    )


def test_a_refusal_says_all_its_reasons(chat):
    """One a line."""
    first = f"no: recovery e6bdfaaa2a is open: '{RESUME}' (and 1 more)"
    output = {"state": "refused", "summary": first, "brief": "and one more"}
    assert chat.answer("recover_rp", {"output": output}, status="failed", host="compute-0") == (
        "no: recovery e6bdfaaa2a is open: 'rp-resume compute-0' (and 1 more)\nand one more"
    )


def test_the_status_shows_plan_and_recoveries(chat):
    """The unfinished one with what to type."""
    recoveries = [
        {"id": "e6bdfaaa2a", "method": "preserve", "started": "2026-11-22T10:00:00Z", "state": "open", "at": "verify"},
        {"id": "aaaaaaaaaa", "method": "discard", "started": "2026-11-20T10:00:00Z", "state": "finished", "at": "-"},
    ]
    shown = {**PLAN, "recoveries": recoveries}
    assert chat.answer("rp_status", {"result": shown}, host="compute-0") == (
        f"{PLAN['summary']}\n{PLAN['brief']}\n"
        "recovery e6bdfaaa2a (preserve, 2026-11-22T10:00:00Z): open at verify: "
        "`rp-resume compute-0` or `rp-rollback compute-0`\n"
        "recovery aaaaaaaaaa (discard, 2026-11-20T10:00:00Z): finished\n"
        "To approve it: `rp-approve compute-0 3f9a2c1b`"
    )


def test_the_status_of_a_host_that_nobody_knows_is_one_line(chat):
    """An action that failed keeps its summary."""
    failed = {"result": {"summary": "host name 'a b' has ' '", "state": "failed", "recovery_id": ""}}
    assert chat.answer("rp_status", failed, status="failed", host="a b") == "host name 'a b' has ' '"


def test_the_audit_lists_ten_findings(chat):
    """Each with what to type, in the chat's words where there are such."""
    findings = [
        {"kind": "unfinished_recovery", "host": "compute-1", "summary": "recovery e6 stands", "next": RESUME},
        {"kind": "stale_provider", "host": "compute-0", "summary": "provider 1058", "next": "st2 run ..."},
        {"kind": "duplicate_node_name", "host": "compute-2", "summary": "two nodes", "next": ""},
        *[{"kind": "unmatched_provider", "host": f"old-{n}", "summary": "left", "next": "openstack"} for n in range(8)],
    ]
    lines = chat.answer("rp_audit", {"result": {"summary": "9 compute nodes", "findings": findings}}).splitlines()
    assert lines[:5] == [
        "9 compute nodes",
        "compute-1: recovery e6 stands: `rp-resume compute-1`",
        "compute-0: provider 1058: `recover-rp compute-0`",
        "compute-2: two nodes",
        "old-0: left: `openstack`",
    ]
    assert lines[-1] == "More findings: see execution 5f3c."
    assert len(lines) == 12


def test_an_audit_without_findings_is_one_line(chat):
    """Nothing is amiss."""
    result = {"result": {"summary": "9 compute nodes: nothing is amiss", "findings": []}}
    assert chat.answer("rp_audit", result) == "9 compute nodes: nothing is amiss"


@pytest.mark.parametrize("alias", [*HOSTED, "rp_help"])
def test_each_is_acknowledged_at_once(chat, alias):
    """With what was typed alone: an execution that was just made has no defaults in its parameters."""
    text = chat.acknowledge(alias, host="compute-0", approve="3f9a2c1b")
    assert text
    assert "compute-0" in text or alias in ("rp_audit", "rp_help")


def test_help_names_every_command(chat):
    """It is answered at once, and nothing is said at the end."""
    help_text = chat.acknowledge("rp_help")
    for alias in chat.aliases.values():
        first = alias["formats"][0]
        command = (first if isinstance(first, str) else first["display"]).split()[0]
        assert command == "rp-help" or f"`{command}" in help_text
    assert chat.aliases["rp_help"]["result"] == {"enabled": False}
