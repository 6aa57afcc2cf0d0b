"""An audit in words."""

from __future__ import annotations

from placement_recovery.audit.audit import Audit
from placement_recovery.audit.findings import ORPHANED_ALLOCATION, WORDS, Finding
from placement_recovery.audit.report import report
from placement_recovery.plan.diagnosis import STALE_PROVIDER


def test_a_clean_cloud_says_so():
    """No table, no findings."""
    result = report(Audit(3, 4, ()))
    assert result["summary"] == "3 compute nodes and 4 providers: nothing is amiss"
    assert (result["state"], result["table"], result["findings"]) == ("clean", "", [])


def test_each_kind_is_counted_by_its_name():
    """One and many."""
    findings = [Finding(STALE_PROVIDER, "compute-0", "u1", "stale")]
    findings += [Finding(ORPHANED_ALLOCATION, "compute-0", f"u{n}", "orphan") for n in range(2)]
    result = report(Audit(3, 4, tuple(findings)))
    assert result["summary"].endswith(": 1 stale provider, 2 orphaned allocations")
    assert result["counts"] == {STALE_PROVIDER: 1, ORPHANED_ALLOCATION: 2}


def test_names_of_others_command_nothing():
    """Neither StackStorm, which renders parameters, nor a terminal."""
    finding = Finding(ORPHANED_ALLOCATION, "compute-0", "u1", "server {{ st2kv.system.x }}\x1b[2J\nis gone")
    result = report(Audit(1, 1, (finding,)))
    for text in (result["findings"][0]["summary"], result["table"].splitlines()[1]):
        assert "{{" not in text
        assert "\x1b" not in text
    assert len(result["table"].splitlines()) == 2


def test_every_kind_has_its_words():
    """One and many of each."""
    assert all(one and many for one, many in WORDS.values())
