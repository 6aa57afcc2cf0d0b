"""What speaks against a transplant, and what is worth knowing about one."""

from __future__ import annotations

from typing import List

from placement_recovery import commands
from placement_recovery.plan.case import Case
from placement_recovery.plan.widening import widen

# nova-compute marks its root with COMPUTE_NODE since Ussuri, whose compute API is 2.87: only then acceptance shows.
LEAST_COMPUTE_API = (2, 87)
MOST_NAMES = 5
PRESERVE_INSTEAD = "method=preserve recovers it"


def transplant_refusals(case: Case) -> List[str]:
    """Why this host must not be transplanted; each with the way out."""
    found = []
    if "COMPUTE_NODE" not in case.stale.traits:
        found.append(
            f"the stale provider {case.stale.uuid} lacks the trait COMPUTE_NODE, by which nova-compute shows that it "
            f"has accepted a provider; {PRESERVE_INSTEAD}"
        )
    if case.around.compute_api < LEAST_COMPUTE_API:
        offered = ".".join(map(str, case.around.compute_api))
        found.append(
            f"nova's compute API is {offered}, and before 2.87 (Ussuri) nova-compute does not show that it has "
            f"accepted a provider; {PRESERVE_INSTEAD}"
        )
    if case.children and not case.around.reparents:
        found.append(
            f"the stale provider {case.stale.uuid} has children ({', '.join(one.name for one in case.children)}), and "
            f"only Placement 6.0 (Xena, microversion 1.37) and later can give them another parent. If this Placement "
            f"is one, see placement_microversion in the pack's configuration; else upgrade it first"
        )
    return found


def transplant_notes(case: Case) -> List[str]:
    """What a person should know, and what does not forbid it."""
    return [*_child_notes(case), *_inventory_notes(case), *_aggregate_notes(case)]


def _child_notes(case: Case) -> List[str]:
    if not case.children:
        return []
    names = [one.name for one in case.children]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    listed = f"{', '.join(names[:MOST_NAMES])}{more}"
    return [f"{len(names)} child provider(s) move with the root and keep UUIDs and allocations: {listed}"]


def _inventory_notes(case: Case) -> List[str]:
    found = []
    ratios = sorted(
        f"{name} {one.allocation_ratio:g}" for name, one in case.stale.inventories.items() if one.allocation_ratio != 1
    )
    if ratios:
        found.append(
            f"the new provider keeps the stale one's allocation ratios ({', '.join(ratios)}) unless nova.conf sets "
            f"*_allocation_ratio; initial_*_allocation_ratio does not apply to it"
        )
    wide = widen(case.stale.inventories, case.kept.values())
    if wide:
        found.append(
            f"{', '.join(sorted(wide))} of the host are over-committed: the new provider offers more while the "
            f"allocations are moved, and as much as before right after it"
        )
    return found + _custom_class_notes(case)


def _custom_class_notes(case: Case) -> List[str]:
    used = {name for part in case.kept.values() for name in part}
    custom = sorted(name for name in case.stale.inventories if name.startswith("CUSTOM_"))
    unused = [name for name in custom if name not in used]
    found = []
    if unused:
        found.append(
            f"{', '.join(unused)}: nova-compute removes a custom class that neither its driver nor provider.yaml "
            f"reports; see that provider.yaml names the new provider {case.hypervisor.uuid}, or $COMPUTE_NODE"
        )
    if set(custom) - set(unused):
        names = ", ".join(sorted(set(custom) - set(unused)))
        found.append(
            f"{names} are in use: if neither the driver nor provider.yaml reports them, nova-compute logs an error at "
            f"each periodic and fails at its next start. See provider.yaml of {case.hypervisor.host} before any restart"
        )
    return found


def _aggregate_notes(case: Case) -> List[str]:
    host, nova_aggregates = case.hypervisor.host, {one.uuid: one for one in case.snapshot.host_aggregates}
    gone = [nova_aggregates[uuid] for uuid in case.stale.aggregates if uuid in nova_aggregates]
    found = [
        f"nova no longer lists {host} in aggregate {one.name}, so the new provider will not be in it; if it belongs "
        f"there: '{commands.add_to_aggregate(one.name, host)}'"
        for one in gone
        if host not in one.hosts
    ]
    missing = [
        one.name for one in nova_aggregates.values() if host in one.hosts and one.uuid not in case.stale.aggregates
    ]
    if missing:
        found.append(f"the new provider will be in {', '.join(sorted(missing))} too, where nova lists {host}")
    return found
