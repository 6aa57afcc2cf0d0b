"""Providers that look like nova's and belong to no compute node: neither their name nor their UUID is one's."""

from __future__ import annotations

from typing import Iterator, List, Tuple

from placement_recovery.audit.findings import LEFTOVER_PROVIDER, Finding
from placement_recovery.audit.look import Look
from placement_recovery.model import Provider
from placement_recovery.recovery.context import Context

# Two requests each; a cloud that has more has had them for years.
MOST_LEFTOVERS = 100


def leftover_findings(context: Context, seen: Look) -> Tuple[List[Finding], List[str]]:
    """The leftovers, and in words what was not looked at."""
    uuids = {one.uuid for one in seen.hypervisors}
    names = {one.node.casefold() for one in seen.hypervisors}
    roots = [one for one in seen.providers if not one.parent_uuid]
    strangers = [one for one in roots if one.uuid not in uuids and one.name.casefold() not in names]
    novas = [one for one in strangers if one.uuid in seen.novas]
    looked = context.reader.each(lambda one: _finding(context, seen, one), novas[:MOST_LEFTOVERS])
    return [one for found in looked for one in found], list(_not_looked_at(len(strangers) - len(novas), len(novas)))


def _finding(context: Context, seen: Look, provider: Provider) -> List[Finding]:
    if context.nova.find_hypervisor(provider.uuid) is not None:  # it came since the lists were read
        return []
    holders = context.placement.consumers_of(provider.uuid)
    told = f"provider {provider.uuid} ({provider.name}) is nova's, but no compute node has its UUID or bears its name"
    if seen.unlisted:
        # Neither a list nor the look by its UUID shows the compute node of a host that is not mapped.
        told = f"{told}; it may be that of a host that nova lists no node of ({', '.join(seen.unlisted[:5])})"
        return [_of(provider, told, "nova-manage cell_v2 discover_hosts")]
    if holders:
        way = f"st2 run placement_recovery.show_allocations provider={provider.uuid}"
        return [_of(provider, f"{told}; {len(holders)} consumer(s) hold it", way)]
    return [_of(provider, f"{told}; nobody holds it", f"openstack resource provider delete {provider.uuid}")]


def _of(provider: Provider, told: str, way: str) -> Finding:
    return Finding(LEFTOVER_PROVIDER, provider.name, provider.uuid, told, way)


def _not_looked_at(foreign: int, novas: int) -> Iterator[str]:
    if foreign:
        yield f"{foreign} provider(s) of no node's name without the trait COMPUTE_NODE: not nova's, or of before Ussuri"
    if novas > MOST_LEFTOVERS:
        yield f"{novas - MOST_LEFTOVERS} more provider(s) that may belong to no compute node"
