"""A plan in a few lines, for a chat or a mail: what was found, and what a person has to know to decide."""

from __future__ import annotations

from typing import List

from placement_recovery.plan.consumers import BLOCKED, DROP, KEEP, TRIM, Decision
from placement_recovery.plan.owners import HOSTLESS_SERVER, UNKNOWN
from placement_recovery.plan.plan import REFUSED, Plan
from placement_recovery.plan.report import printable

MOST_LINES = 10
LONGEST_LINE = 300


def brief(plan: Plan) -> str:
    """Beside the summary, at most MOST_LINES lines of what is not simply kept."""
    lines = _lines(plan)
    left_out = len(lines) - MOST_LINES
    shown = [*lines[:MOST_LINES], *([f"and {left_out} more"] if left_out > 0 else [])]
    return "\n".join(shorten(printable(line), LONGEST_LINE) for line in shown)


def shorten(text: str, most: int) -> str:
    """The text, cut to this many characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def inert(text: str) -> str:
    """The text without the begin of any template: a server's owner names it, and StackStorm renders parameters.

    It does so with any parameter that holds such a begin (st2common/util/param.py).
    """
    for begin in ("{{", "{%", "{#", "<%"):
        while begin in text:
            text = text.replace(begin, f"{begin[0]} {begin[1]}")
    return text


def _lines(plan: Plan) -> List[str]:
    if plan.state == REFUSED:
        return list(plan.refusals[1:])  # the first one is in the summary
    return [*_decided(plan, BLOCKED), *_decided(plan, DROP), *_decided(plan, TRIM), *_strangers(plan)]


def _decided(plan: Plan, disposition: str) -> List[str]:
    return [_line(one) for one in plan.with_disposition(disposition)]


def _strangers(plan: Plan) -> List[str]:
    """Kept, though Nova shows no user of them on this host."""
    return [_line(one) for one in plan.with_disposition(KEEP) if one.kind in (UNKNOWN, HOSTLESS_SERVER)]


def _line(decision: Decision) -> str:
    who = " ".join(filter(None, (decision.kind, decision.name, decision.uuid)))
    return f"{decision.disposition} {who}: {decision.evidence}"
