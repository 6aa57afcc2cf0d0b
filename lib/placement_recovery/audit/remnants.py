"""What recoveries have left: those that are not finished, services that stayed disabled, and locks."""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from placement_recovery import commands
from placement_recovery.audit.findings import DISABLED_SERVICE, UNFINISHED_RECOVERY, Finding
from placement_recovery.audit.locks import orphaned_lock_findings
from placement_recovery.cloud.model import LOCK_PREFIX, ComputeService, recovery_of_lock
from placement_recovery.records.journal import readable_progress
from placement_recovery.records.record import OPEN, Progress
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.overview import UNREADABLE, current_step, way_on
from placement_recovery.recovery.service import disabled_reason, servers_left_reason

NOT_KNOWN = "not known here: see that no other StackStorm, and no other store, has it"


def remnant_findings(context: Context, services: Tuple[ComputeService, ...]) -> List[Finding]:
    """Raises ApiFailure, and RecordFailure where the records cannot be read.

    Locks are read before the records: a recovery's record is open before its lock exists, and until it is released.
    """
    locks = context.placement.list_traits(LOCK_PREFIX)
    readable, broken = readable_progress(context.store)
    states = {**{one.id: one.state for one in readable}, **dict.fromkeys(broken, UNREADABLE)}
    unfinished = [_unfinished(one) for one in readable if one.state == OPEN]
    unreadable = [Finding(UNFINISHED_RECOVERY, "", one, f"recovery {one} is {UNREADABLE}", str(broken[one]))
                  for one in broken]
    return [
        *unreadable,
        *unfinished,
        *_disabled(_still(context, services, states), states),
        *orphaned_lock_findings(context, _orphaned(locks, states)),
    ]


def unfinished_ways(findings: List[Finding]) -> Dict[str, str]:
    """Host to what goes on with its unfinished recovery."""
    return {one.host: one.next for one in findings if one.kind == UNFINISHED_RECOVERY}


def _unfinished(progress: Progress) -> Finding:
    summary = (
        f"recovery {progress.id} ({progress.method}, started {progress.created_at}) is {progress.state}, at "
        f"{current_step(progress) or '-'}"
    )
    return Finding(UNFINISHED_RECOVERY, progress.host, progress.id, summary, way_on(progress))


def _still(
    context: Context, services: Tuple[ComputeService, ...], states: Dict[str, str]
) -> Tuple[ComputeService, ...]:
    """The services as they are now, where one looks left behind: its recovery may be enabling it just now."""
    return context.nova.services() if any(_disabled(services, states)) else services


def _disabled(services: Tuple[ComputeService, ...], states: Dict[str, str]) -> Iterator[Finding]:
    """An open recovery's are meant to be disabled; it gives them back itself."""
    for service in services:
        recovery = _recovery_of(service)
        if recovery is not None and states.get(recovery) != OPEN:
            state = states.get(recovery, NOT_KNOWN)
            summary = f"the compute service of {service.host} was disabled by recovery {recovery}, which is {state}"
            if service.disabled_reason == servers_left_reason(recovery):
                summary = f"{summary}; servers ran there without allocations: see that none does before you enable it"
            way = commands.enable_service(service.host)
            yield Finding(DISABLED_SERVICE, service.host, recovery, summary, way)


def _orphaned(locks: Iterable[str], states: Dict[str, str]) -> Dict[str, str]:
    """Locks of recoveries that have ended, or are not known, with which of it."""
    found = {one: states.get(recovery_of_lock(one), NOT_KNOWN) for one in locks}
    return {one: state for one, state in found.items() if state not in (OPEN, UNREADABLE)}


def _recovery_of(service: ComputeService) -> Optional[str]:
    """The id in a reason that a recovery has written."""
    match = re.match(r"placement_recovery ([a-z0-9]+):", service.disabled_reason)
    if service.status != "disabled" or match is None:
        return None
    recovery = match.group(1)
    return recovery if service.disabled_reason in (disabled_reason(recovery), servers_left_reason(recovery)) else None
