"""What recoveries have left: those that are not finished, services that stayed disabled, and claims."""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from placement_recovery.audit.claims import dead_claim_findings
from placement_recovery.audit.findings import DISABLED_SERVICE, UNFINISHED_RECOVERY, Finding
from placement_recovery.model import CLAIM_PREFIX, ComputeService, recovery_of_claim
from placement_recovery.record.record import ABANDONED, FINISHED, OPEN, ROLLED_BACK
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.overview import show_all
from placement_recovery.recovery.service import reason_of

# Any other is open, or its record cannot be read.
ENDED = (FINISHED, ABANDONED, ROLLED_BACK)
NOT_KNOWN = "not known here: see that no other StackStorm, and no other store, has it"


def our_findings(context: Context, services: Tuple[ComputeService, ...]) -> List[Finding]:
    """Raises ApiFailure, and RecordFailure where the records cannot be read.

    Claims are read before the records: who claims has an open record before, and until it has given back its claim.
    """
    claims = context.placement.list_traits(CLAIM_PREFIX)
    recoveries = show_all(context.store)["recoveries"]
    states = {one["id"]: one["state"] for one in recoveries}
    dead = dead_claim_findings(context, _dead(claims, states))
    return [*_unfinished(recoveries), *_disabled(services, states), *dead]


def ways_on(findings: List[Finding]) -> Dict[str, str]:
    """Host to what goes on with its unfinished recovery."""
    return {one.host: one.next for one in findings if one.kind == UNFINISHED_RECOVERY}


def _unfinished(recoveries: List[Dict[str, str]]) -> Iterator[Finding]:
    for one in recoveries:
        if one["state"] not in ENDED:
            told = f"recovery {one['id']} ({one['method']}, started {one['started']}) is {one['state']}, at {one['at']}"
            yield Finding(UNFINISHED_RECOVERY, one["host"], one["id"], told, one["next"])


def _disabled(services: Tuple[ComputeService, ...], states: Dict[str, str]) -> Iterator[Finding]:
    """An open recovery's are meant to be disabled; it gives them back itself."""
    for service in services:
        recovery = _recovery_of(service)
        if recovery is not None and states.get(recovery) != OPEN:
            state = states.get(recovery, NOT_KNOWN)
            told = f"the compute service of {service.host} was disabled by recovery {recovery}, which is {state}"
            way = f"openstack compute service set --enable {service.host} nova-compute"
            yield Finding(DISABLED_SERVICE, service.host, recovery, told, way)


def _dead(claims: Iterable[str], states: Dict[str, str]) -> Dict[str, str]:
    """Claims of recoveries that have ended, or are not known, with which of it."""
    found = {one: states.get(recovery_of_claim(one), NOT_KNOWN) for one in claims}
    return {one: state for one, state in found.items() if state in (*ENDED, NOT_KNOWN)}


def _recovery_of(service: ComputeService) -> Optional[str]:
    """The id in a reason that a recovery has written."""
    match = re.match(r"placement_recovery ([a-z0-9]+):", service.disabled_reason)
    if service.status != "disabled" or match is None or service.disabled_reason != reason_of(match.group(1)):
        return None
    return match.group(1)
