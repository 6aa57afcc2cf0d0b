"""Each line that is meant for us has exactly one format; whatever else is typed has none."""

from __future__ import annotations

import pytest

from testkit.chat import Match


@pytest.mark.parametrize(
    ("line", "alias", "parameters"),
    [
        ("recover-rp compute-0", "recover_rp", {"host": "compute-0"}),
        ("  recover-rp compute-0.example.org  ", "recover_rp", {"host": "compute-0.example.org"}),
        ('recover-rp "compute-0"', "recover_rp", {"host": "compute-0"}),
        ("recover-rp compute-0 dry_run=true", "recover_rp", {"host": "compute-0", "dry_run": "true"}),
        (
            "recover-rp compute-0 method=discard unknown='drop' dry_run=true",
            "recover_rp",
            {"host": "compute-0", "method": "discard", "unknown": "drop", "dry_run": "true"},
        ),
        ("rp-status compute-0", "rp_status", {"host": "compute-0"}),
        (
            "rp-approve compute-0 3f9a2c1b",
            "rp_approve",
            {"host": "compute-0", "approve": "3f9a2c1b", "method": "approved"},
        ),
        ("rp-resume compute-0", "rp_resume", {"host": "compute-0"}),
        ("rp-rollback compute-0", "rp_rollback", {"host": "compute-0"}),
        ("rp-audit", "rp_audit", {}),
        ("rp-audit deep=true", "rp_audit", {"deep": "true"}),
        ("rp-help", "rp_help", {}),
    ],
)
def test_a_line_for_us_has_one_format(chat, line, alias, parameters):
    """With these parameters for the action."""
    assert chat.type(line) == [Match(alias, parameters)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "recover-rp",
        "recover-rps compute-0",
        "please recover-rp compute-0",
        "rp-status",
        "rp-approve compute-0",
        "rp-audit compute-0",
        "rp-help me",
        "rp-resume",
        "rp-rollback",
        "pack install placement_recovery",
        "the log says: recover-rp compute-0",
    ],
)
def test_any_other_line_has_none(chat, line):
    """It is somebody else's, or too short."""
    assert chat.type(line) == []


def test_who_asks_cannot_be_typed(chat):
    """The action that records it takes it from StackStorm's own context, and no alias reaches that parameter."""
    for alias in chat.aliases.values():
        assert alias["action_ref"].split(".")[1] in (
            "recover_host", "resume_recovery", "rollback_recovery", "show_host", "audit_cloud", "noop"
        )
