"""One audit: look, judge, and say what was not looked at. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Tuple

from placement_recovery.audit.cloud_view import CloudView, view_cloud
from placement_recovery.audit.findings import WORDS, Finding
from placement_recovery.audit.nodes import Proven, node_findings, stale_findings
from placement_recovery.audit.orphans import NOT_DEEP, orphans_of_all, orphans_of_stale
from placement_recovery.audit.remnants import remnant_findings, unfinished_ways
from placement_recovery.audit.unmatched import unmatched_findings
from placement_recovery.cloud.reader import unreachable_hosts
from placement_recovery.plan.diagnosis import CANNOT_TELL
from placement_recovery.recovery.context import Context


@dataclass(frozen=True)
class Audit:
    """`proven` are the stale providers that are not locked and whose hosts have no unfinished recovery."""

    nodes: int
    providers: int
    findings: Tuple[Finding, ...]
    proven: Tuple[Proven, ...] = ()
    not_looked_at: Tuple[str, ...] = ()


def audit(context: Context, deep: bool) -> Audit:
    """Look at the whole cloud; `deep` reads the allocations of all providers. Raises ApiFailure, RecordFailure."""
    seen = view_cloud(context)
    remnants = remnant_findings(context, seen.services)
    if seen.unreachable:
        return _cannot_tell(remnants, seen.unreachable)
    found = _audited(context, seen, remnants, deep)
    # What was read while a cell went down proves nothing.
    down = unreachable_hosts(context.nova.services())
    return _cannot_tell(remnants, down) if down else found


def _audited(context: Context, seen: CloudView, remnants: List[Finding], deep: bool) -> Audit:
    nodes, proven = node_findings(context, seen)
    unmatched, unseen = unmatched_findings(context, seen)
    orphans = list(orphans_of_stale(proven))
    if deep:
        stale = {one.snapshot.provider_by_name.uuid for one in proven if one.snapshot.provider_by_name is not None}
        orphans += orphans_of_all(context, seen, stale)
    waiting = unfinished_ways(remnants)
    findings = [*remnants, *stale_findings(proven, waiting), *nodes, *unmatched, *orphans]
    return Audit(
        nodes=len(seen.hypervisors),
        providers=len(seen.providers),
        findings=_ordered(findings),
        proven=tuple(one for one in proven if one.hypervisor.host not in waiting and not one.is_locked),
        not_looked_at=tuple(unseen if deep else [*unseen, NOT_DEEP]),
    )


def _cannot_tell(remnants: List[Finding], down: Tuple[str, ...]) -> Audit:
    hosts = ", ".join(down[:5]) + (f" and {len(down) - 5} more" if len(down) > 5 else "")
    summary = f"a cell is down: nova cannot show host(s) {hosts}. Bring the cell's database back, then audit again"
    unseen = "compute nodes, providers and allocations: Nova's lists are not whole while a cell is down"
    return Audit(0, 0, _ordered([Finding(CANNOT_TELL, down[0], "", summary), *remnants]), not_looked_at=(unseen,))


def _ordered(findings: List[Finding]) -> Tuple[Finding, ...]:
    rank = {kind: number for number, kind in enumerate(WORDS)}
    return tuple(sorted(findings, key=lambda one: (rank[one.kind], one.host, one.subject)))
