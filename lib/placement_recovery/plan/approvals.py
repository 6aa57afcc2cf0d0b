"""What only a person may allow. The plan's digest covers it: what needs approval later was not approved before."""

from __future__ import annotations

from typing import Dict, Iterable, List

from placement_recovery import commands
from placement_recovery.cloud.model import Migration
from placement_recovery.plan.case import Case
from placement_recovery.plan.consumers import DROP, KEEP, TRIM
from placement_recovery.plan.method import DISCARD, TRANSPLANT
from placement_recovery.plan.owners import SERVER, UNKNOWN


def to_approve(case: Case) -> Dict[str, str]:
    """Each in words, by what it is about; empty where the plan is safe."""
    found: Dict[str, str] = {}
    if case.snapshot.set_aside is not None:
        found[f"set aside {case.stale.uuid}"] = (
            f"provider {case.stale.uuid} ({case.stale.name}) was set aside by a recovery that is not under way here: "
            f"see that no other StackStorm is at work on it"
        )
    if case.snapshot.hidden_hosts:
        hidden = ", ".join(case.snapshot.hidden_hosts)
        found[f"hidden {hidden}"] = (
            f"nova lists no compute node of {hidden}, though nova-compute runs there: see that none of them reports "
            f"node {case.hypervisor.node}, for provider {case.stale.uuid} would be its own (after "
            f"'{commands.discover_hosts()}')"
        )
    if case.request.method == DISCARD:
        found["discard"] = _discard(case)
    found.update(
        {
            f"unproven {one.uuid}": f"{one.label} {one.uuid} goes without proof: {one.evidence}"
            for one in case.decisions
            if one.unproven
        }
    )
    return {**found, **_restart(case)}


def asked_for(case: Case, approved: bool) -> List[str]:
    """What this very request needs a person for; another request for the same plan may not."""
    found = []
    if case.request.automatic and not case.snapshot.is_called_so:
        found.append(
            f"a trigger asked for {case.snapshot.requested_name}, and only host {case.hypervisor.host} (node "
            f"{case.hypervisor.node}) is called alike: see that it is the one that is meant"
        )
    if case.request.automatic and case.config.automation == "ask":
        found.append("a trigger asked for this, and automation is 'ask' in the pack's configuration")
    strangers = [one.uuid for one in case.decisions if one.kind == UNKNOWN and one.disposition == KEEP]
    if case.request.automatic and strangers:
        found.append(
            f"a trigger asked for this, and nova knows nothing of {len(strangers)} consumer(s): see who owns "
            f"{', '.join(strangers[:5])}"
        )
    if case.request.approve and not approved:
        found.append(f"the digest {case.request.approve} is not this plan's: look at the plan as it is now")
    return found


def _discard(case: Case) -> str:
    gone = sum(1 for one in case.decisions if one.disposition == DROP)
    servers = sum(1 for one in case.decisions if one.kind == SERVER and one.disposition in (DROP, TRIM))
    said = f"discard takes the host's part away from all {len(case.decisions)} consumers ({gone} hold nothing else)"
    if not servers:
        return said
    return (
        f"{said}; its {servers} running servers go on without allocations, and the compute service stays disabled "
        f"while any of them is there"
    )


def _restart(case: Case) -> Dict[str, str]:
    """A transplant restarts nothing."""
    if case.request.method == TRANSPLANT:
        return {}
    found = {
        f"evacuated {one.uuid}": f"server {one.server_uuid} was evacuated to {one.dest_host}: a restart of "
        f"nova-compute destroys what is left of its guest on {one.source_host}"
        for one in evacuated(case.snapshot.owners.migrations, case.hypervisor.host)
    }
    if case.around.restart_problem:
        found["restart"] = (
            f"{case.around.restart_problem}. Most likely no restart is needed, for nova-compute accepts its new "
            f"provider at its next periodic; if it does not, restart it by hand and resume"
        )
    return found


def evacuated(migrations: Iterable[Migration], host: str) -> List[Migration]:
    """The moves whose guests a start of nova-compute on their old host destroys.

    nova/compute/manager.py, _destroy_evacuated_instances: these are what init_host looks for.
    """
    return [
        one
        for one in migrations
        if one.source_host == host
        and one.type == "evacuation"
        and one.status in ("accepted", "pre-migrating", "done")
    ]
