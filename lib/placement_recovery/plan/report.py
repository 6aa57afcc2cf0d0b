"""A plan in words: one line, what to type next, and all consumers, for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from typing import Iterable, List, Sequence

from placement_recovery import commands
from placement_recovery.cloud.model import Resources
from placement_recovery.plan.consumers import BLOCKED, DROP, KEEP, TRIM
from placement_recovery.plan.method import DEFAULT_METHOD
from placement_recovery.plan.owners import UNKNOWN
from placement_recovery.plan.plan import HEALTHY_STATE, NEEDS_APPROVAL, READY, REFUSED, SKIPPED, Plan

SHOWN_DIGEST = 8
WIDTH = 80


def summary(plan: Plan) -> str:
    """One line that says what is the case and what would be done."""
    return printable(_summary(plan))


def _summary(plan: Plan) -> str:
    if plan.state == HEALTHY_STATE:
        return f"{plan.host} is healthy: {plan.diagnosis.explanation}"
    if plan.state == SKIPPED:
        return f"{plan.host} is left alone for now: {plan.cooling}"
    if plan.state == REFUSED:
        more = f" (and {len(plan.refusals) - 1} more)" if len(plan.refusals) > 1 else ""
        return f"{plan.host} is not recovered: {plan.refusals[0]}{more}"
    strangers = sum(1 for one in plan.with_disposition(KEEP) if one.kind == UNKNOWN)
    kept = f"keep {len(plan.with_disposition(KEEP))}" + (f" ({strangers} of unknown owner)" if strangers else "")
    counts = ", ".join([kept, *(f"{verb} {len(plan.with_disposition(verb))}" for verb in (TRIM, DROP))])
    waits = f"; needs approval: {'; '.join(plan.approvals)}" if plan.state == NEEDS_APPROVAL else ""
    return f"{plan.host} has the stale provider {plan.stale_provider}; {plan.method}: {counts}{waits}"


def next_step(plan: Plan) -> str:
    """What to type next; "" where there is nothing to do."""
    if plan.state not in (NEEDS_APPROVAL, READY):
        return ""
    return commands.recover(
        plan.requested_name,
        method="" if plan.method == DEFAULT_METHOD else plan.method,
        unknown="" if plan.unknown == KEEP else plan.unknown,
        approve=plan.digest[:SHOWN_DIGEST] if plan.state == NEEDS_APPROVAL else "",
    )


def render(plan: Plan) -> str:
    """The whole plan as text for a terminal or the UI, beside its summary. What is to be typed stands on one line."""
    lines = [f"finding: {plan.diagnosis.finding}: {plan.diagnosis.explanation}"]
    lines += [f"  [{'x' if part.holds else ' '}] {part.fact}" for part in plan.diagnosis.proof]
    if plan.decisions:
        lines += ["", *_consumers(plan)]
    if plan.capacity:
        fits = (f"{one.resource_class} {one.needed} of {one.offered}" for one in plan.capacity)
        lines += ["", f"capacity needed on the new provider: {', '.join(fits)}"]
    for title, items in (("refused", plan.refusals), ("needs approval", plan.approvals), ("note", plan.notes)):
        lines += [f"{title}: {item}" for item in items]
    if plan.digest:
        lines += ["", f"digest {plan.digest[:SHOWN_DIGEST]}"]
    wrapped = [part for line in lines for part in _wrapped(printable(line))]
    if next_step(plan):
        wrapped.append(printable(f"next: {next_step(plan)}"))
    return "\n".join(wrapped)


def _wrapped(line: str) -> List[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, WIDTH - 1, subsequent_indent=indent, break_on_hyphens=False) or [""]


def printable(text: str) -> str:
    """The text on one line: names and reasons are others', and what they hold must not command a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _consumers(plan: Plan) -> List[str]:
    """Two lines each: what becomes of whom, and what it holds of the stale tree, with the evidence."""
    rank = {BLOCKED: 0, DROP: 1, TRIM: 2, KEEP: 3}
    lines = []
    for one in sorted(plan.decisions, key=lambda one: (rank[one.disposition], one.kind, one.uuid)):
        lines.append(f"{one.disposition:<7} {one.uuid}  {one.label}")
        lines.append(f"        {_held(one.consumer.on(plan.stale_tree).values())}; {one.evidence}")
    return lines


def _held(parts: Iterable[Resources]) -> str:
    return " ".join(f"{name}={amount}" for part in parts for name, amount in sorted(part.items()))


def counted(number: int, noun: str) -> str:
    """The number and the noun: 1 server, 2 servers, 2 recoveries."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def columns(rows: Sequence[Sequence[str]]) -> List[str]:
    """Rows as aligned lines, the first one a heading."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [printable("  ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip() for row in rows]
