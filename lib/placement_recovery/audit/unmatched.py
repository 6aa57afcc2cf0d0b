"""Providers that look like nova's and belong to no compute node: neither their name nor their UUID is one's."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Tuple

from placement_recovery import commands
from placement_recovery.audit.cloud_view import CloudView
from placement_recovery.audit.findings import UNMATCHED_PROVIDER, Finding
from placement_recovery.cloud.model import Provider
from placement_recovery.plan.diagnosis import SET_ASIDE
from placement_recovery.plan.stale_name import recovery_of_stale_name, stale_name
from placement_recovery.records.journal import readable_progress
from placement_recovery.records.record import OPEN
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.overview import UNREADABLE

# Two requests each; a cloud that has more has had them for years.
MOST_UNMATCHED = 100


def unmatched_findings(context: Context, seen: CloudView) -> Tuple[List[Finding], List[str]]:
    """The findings, and in words what was not looked at."""
    uuids = {one.uuid for one in seen.hypervisors}
    names = {one.node.casefold() for one in seen.hypervisors}
    roots = [one for one in seen.providers if not one.parent_uuid]
    strangers = [one for one in roots if one.uuid not in uuids and one.name.casefold() not in names]
    # What a transplant set aside comes first, also a child of Nova's, which has no COMPUTE_NODE.
    aside = [one for one in strangers if recovery_of_stale_name(one.name)]
    unmatched = [*aside, *(one for one in strangers if one.uuid in seen.nova_providers and one not in aside)]
    # One look at the store, and in this thread: StackStorm's client may not be safe in several.
    states = _states(context) if aside else {}
    looked = context.reader.each(lambda one: _finding(context, seen, states, one), unmatched[:MOST_UNMATCHED])
    unseen = _not_looked_at(len(strangers) - len(unmatched), len(unmatched))
    return [one for found in looked for one in found], list(unseen)


def _states(context: Context) -> Dict[str, str]:
    readable, broken = readable_progress(context.store)
    return {**{one.id: one.state for one in readable}, **dict.fromkeys(broken, UNREADABLE)}


def _finding(context: Context, seen: CloudView, states: Mapping[str, str], provider: Provider) -> List[Finding]:
    if context.nova.find_hypervisor(provider.uuid) is not None:  # it came since the lists were read
        return []
    recovery = recovery_of_stale_name(provider.name)
    if recovery:
        return _set_aside(seen, provider, recovery, states.get(recovery, "not known"))
    holders = context.placement.consumers_of(provider.uuid)
    summary = f"provider {provider.uuid} ({provider.name}) is nova's, but no compute node has its UUID or its name"
    if seen.unlisted:
        # Neither a list nor the look by its UUID shows the compute node of a host that is not mapped.
        summary = f"{summary}; it may be that of a host that nova lists no node of ({', '.join(seen.unlisted[:5])})"
        return [_of(provider, summary, commands.discover_hosts())]
    if holders:
        way = commands.show_allocations(provider=provider.uuid)
        return [_of(provider, f"{summary}; {len(holders)} consumer(s) hold it", way)]
    way = f"openstack resource provider delete {provider.uuid}"
    return [_of(provider, f"{summary}; nothing is allocated on it", way)]


def _set_aside(seen: CloudView, provider: Provider, recovery: str, state: str) -> List[Finding]:
    """A root that a transplant renamed is never left over: servers may hold it until that recovery ends."""
    if state == OPEN:
        return []  # its recovery is found as unfinished
    node = next((one.node for one in seen.hypervisors if stale_name(one.node, recovery) == provider.name), "")
    summary = (
        f"provider {provider.uuid} was set aside as {provider.name} by recovery {recovery}, which is {state} here; "
        f"servers may hold it, so do not delete it by hand"
    )
    way = commands.recover(node) if node else commands.show_allocations(provider=provider.uuid)
    return [Finding(SET_ASIDE, node or provider.name, provider.uuid, summary, way)]


def _of(provider: Provider, summary: str, way: str) -> Finding:
    return Finding(UNMATCHED_PROVIDER, provider.name, provider.uuid, summary, way)


def _not_looked_at(foreign: int, found: int) -> Iterator[str]:
    if foreign:
        yield f"{foreign} provider(s) match no node and lack COMPUTE_NODE: not Nova's, or created before Ussuri"
    if found > MOST_UNMATCHED:
        yield f"{found - MOST_UNMATCHED} more provider(s) that may belong to no compute node"
