"""An audit in words and as data of a bounded size."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any, Dict, List

from placement_recovery.audit.audit import Audit
from placement_recovery.audit.findings import WORDS
from placement_recovery.plan.brief import inert, shorten
from placement_recovery.plan.report import columns, printable

# Of findings that a result carries; the summary counts all.
MOST_FINDINGS = 200
LONGEST_CELL = 200


def report(done: Audit) -> Dict[str, Any]:
    """summary, counts by kind, findings, table, and what was not looked at."""
    shown = done.findings[:MOST_FINDINGS]
    counts = Counter(one.kind for one in done.findings)
    return {
        "summary": _summary(done, counts),
        "state": "clean" if not done.findings else "findings",
        "counts": {kind: counts[kind] for kind in WORDS if counts[kind]},
        "findings": [{name: inert(printable(value)) for name, value in asdict(one).items()} for one in shown],
        "left_out": len(done.findings) - len(shown),
        "not_looked_at": list(done.not_looked_at),
        "table": _table(done),
    }


def _summary(done: Audit, counts: Dict[str, int]) -> str:
    found = ", ".join(f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in WORDS.items() if counts.get(kind))
    return f"{done.nodes} compute nodes and {done.providers} providers: {found or 'nothing is amiss'}"


def _table(done: Audit) -> str:
    rows = [
        (one.kind, one.host, shorten(inert(one.summary), LONGEST_CELL), one.next)
        for one in done.findings[:MOST_FINDINGS]
    ]
    lines: List[str] = columns([("kind", "host", "what", "next"), *rows]) if rows else []
    left_out = len(done.findings) - len(rows)
    return "\n".join([*lines, *([f"and {left_out} more"] if left_out else [])])
