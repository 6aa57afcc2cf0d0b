"""What ails a host, judged from one snapshot. The log line that called us proves nothing; the API does.

The same 409 in nova-compute's log stands for a left-over provider and for a second nova-compute that reports a live
node's name. In the second case the provider is a healthy host's, so the five parts of the proof must all hold.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import List, Optional, Tuple

from placement_recovery import commands
from placement_recovery.cloud.model import Hypervisor, Provider
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.plan.stale_name import recovery_of_stale_name

HEALTHY = "healthy"
STALE_PROVIDER = "stale_provider"
DUPLICATE_NODE_NAME = "duplicate_node_name"
HOST_NOT_MAPPED = "host_not_mapped"
UNKNOWN_HOST = "unknown_host"
AMBIGUOUS_HOST = "ambiguous_host"
OTHER_FAULT = "other_fault"
CANNOT_TELL = "cannot_tell"
NOT_LOOKED_AT = "not_looked_at"
SET_ASIDE = "set_aside_provider"

# What a recovery can mend.
RECOVERABLE = (STALE_PROVIDER, SET_ASIDE)


@dataclass(frozen=True)
class Evidence:
    """One part of the proof: whether it holds, and what was seen."""

    holds: bool
    fact: str


@dataclass(frozen=True)
class Diagnosis:
    """`finding` is one of this module's constants; `explanation` says why, and what to do where we do not."""

    finding: str
    explanation: str
    proof: Tuple[Evidence, ...] = ()


def diagnose(snapshot: Snapshot) -> Diagnosis:
    """Judge a snapshot. Pure: reads nothing, writes nothing."""
    hypervisor = snapshot.hypervisor
    if hypervisor is None:
        return _without_hypervisor(snapshot)
    named = snapshot.provider_by_name
    if snapshot.set_aside is not None:
        return _set_aside(snapshot, hypervisor, snapshot.set_aside)
    if named is None:
        return _without_namesake_provider(snapshot, hypervisor)
    if named.uuid == hypervisor.uuid and len(snapshot.namesakes) == 1:
        return Diagnosis(HEALTHY, f"provider {named.name} has the UUID of its compute node, {named.uuid}")
    owner = snapshot.owner_of_provider
    if len(snapshot.namesakes) > 1 or (owner is not None and owner.node == hypervisor.node):
        return _duplicate(snapshot, hypervisor, named)
    if snapshot.provider_by_uuid is not None:
        return Diagnosis(
            OTHER_FAULT,
            f"compute node {hypervisor.uuid} has its provider already, but under the name "
            f"{snapshot.provider_by_uuid.name}; {named.name} is provider {named.uuid}. Look at both before you "
            f"delete anything",
        )
    return _proven(snapshot, hypervisor, named)


def _without_hypervisor(snapshot: Snapshot) -> Diagnosis:
    requested_name = snapshot.requested_name
    if snapshot.matches:
        return _ambiguous(snapshot)
    if snapshot.unreachable_hosts:
        return _cell_down(snapshot)
    if snapshot.service is not None:
        return Diagnosis(
            HOST_NOT_MAPPED,
            f"nova-compute of {requested_name} runs, but its host is not mapped to a cell; run "
            f"'{commands.discover_hosts()}' (or wait for the scheduler's periodic), then try again",
        )
    return Diagnosis(
        UNKNOWN_HOST,
        f"nova knows no compute host and no node {requested_name}{_nearest(snapshot)}; 'openstack hypervisor list' "
        f"shows all",
    )


def _nearest(snapshot: Snapshot) -> str:
    names = {name for one in snapshot.hypervisors for name in (one.host, one.node)}
    found = difflib.get_close_matches(snapshot.requested_name, sorted(names), n=3)
    return f"; its nearest names are {', '.join(found)}" if found else ""


def _ambiguous(snapshot: Snapshot) -> Diagnosis:
    requested_name = snapshot.requested_name
    nodes = {one.node.casefold() for one in snapshot.matches}
    seen = "; ".join(f"host {one.host} reports node {one.node} ({one.uuid})" for one in snapshot.matches)
    if len(nodes) == 1:
        return Diagnosis(
            DUPLICATE_NODE_NAME,
            f"{len(snapshot.matches)} compute nodes bear the name {requested_name}: {seen}. Only one provider can bear "
            f"a name; give one of the nodes another name. Nothing is recovered, for the provider may be a healthy "
            f"host's",
        )
    return Diagnosis(AMBIGUOUS_HOST, f"{requested_name} is not one compute node: {seen}. Name the node that is meant")


def _without_namesake_provider(snapshot: Snapshot, hypervisor: Hypervisor) -> Diagnosis:
    if snapshot.provider_by_uuid is not None:
        return Diagnosis(
            OTHER_FAULT,
            f"the provider of compute node {hypervisor.uuid} bears the name {snapshot.provider_by_uuid.name}, not "
            f"{hypervisor.node}; no name stands in its way, so this is no stale provider",
        )
    return Diagnosis(
        OTHER_FAULT,
        f"no provider bears the name {hypervisor.node} and none has its UUID {hypervisor.uuid}: nothing stands in "
        f"nova-compute's way, it makes its provider at its next periodic. Look into its log if it does not",
    )


def _duplicate(snapshot: Snapshot, hypervisor: Hypervisor, named: Provider) -> Diagnosis:
    owner = snapshot.owner_of_provider
    others = [one for one in snapshot.namesakes if one.uuid != hypervisor.uuid]
    if owner is not None and owner.uuid not in {one.uuid for one in [*others, hypervisor]}:
        others.append(owner)
    seen = " and ".join(f"host {one.host} (node {one.node}, {one.uuid})" for one in others)
    return Diagnosis(
        DUPLICATE_NODE_NAME,
        f"host {hypervisor.host} (node {hypervisor.node}, {hypervisor.uuid}) shares its node name with {seen}; "
        f"provider {named.uuid} may be a healthy host's, so nothing is recovered. Give one of the nodes another name",
        proof=_proof(snapshot, hypervisor, named),
    )


def _proven(snapshot: Snapshot, hypervisor: Hypervisor, named: Provider) -> Diagnosis:
    proof = _proof(snapshot, hypervisor, named)
    if snapshot.unreachable_hosts:
        return _cell_down(snapshot)
    if not all(part.holds for part in proof):
        failing = "; ".join(part.fact for part in proof if not part.holds)
        return Diagnosis(OTHER_FAULT, f"provider {named.uuid} is not proven to be stale: {failing}", proof)
    return Diagnosis(
        STALE_PROVIDER,
        f"provider {named.uuid} bears the name {named.name}, but its compute node has UUID {hypervisor.uuid}",
        proof,
    )


def _set_aside(snapshot: Snapshot, hypervisor: Hypervisor, root: Provider) -> Diagnosis:
    """The proof of a root that a transplant renamed: the name is no evidence any more, its lock and stale name are."""
    proof = _proof(snapshot, hypervisor, root)
    if snapshot.unreachable_hosts:
        return _cell_down(snapshot)
    if not all(part.holds for part in proof):
        failing = "; ".join(part.fact for part in proof if not part.holds)
        return Diagnosis(OTHER_FAULT, f"provider {root.uuid} ({root.name}) is not proven to be stale: {failing}", proof)
    recovery = recovery_of_stale_name(root.name)
    return Diagnosis(
        SET_ASIDE,
        f"provider {root.uuid} was set aside as {root.name} by recovery {recovery}, which is not under way here",
        proof,
    )


def _proof(snapshot: Snapshot, hypervisor: Hypervisor, named: Provider) -> Tuple[Evidence, ...]:
    """The five parts of the proof, in the order of docs/safety.md."""
    down = snapshot.unreachable_hosts
    parts: List[Tuple[bool, str]] = [
        (named.uuid != hypervisor.uuid, f"provider {named.uuid}, compute node {hypervisor.uuid}"),
        (snapshot.owner_of_provider is None, _owner_fact(named, snapshot.owner_of_provider)),
        (len(snapshot.namesakes) == 1 and not snapshot.hidden_namesakes, _namesakes_fact(snapshot, hypervisor)),
        (not down, f"{len(down)} host(s) are in a cell that is down"),
        (named.is_nova_provider, f"provider {named.uuid} {_is_or_not(named.is_nova_provider)} nova's"),
    ]
    return tuple(Evidence(holds, fact) for holds, fact in parts)


def _is_or_not(holds: bool) -> str:
    return "is" if holds else "does not look like"


def _namesakes_fact(snapshot: Snapshot, hypervisor: Hypervisor) -> str:
    if snapshot.hidden_namesakes:
        return (
            f"host {snapshot.hidden_namesakes[0]} runs nova-compute, but nova lists no compute node of it, which may "
            f"bear the name {hypervisor.node}; run '{commands.discover_hosts()}', then try again"
        )
    return f"{len(snapshot.namesakes)} compute node(s) bear the name {hypervisor.node}"


def _owner_fact(named: Provider, owner: Optional[Hypervisor]) -> str:
    if owner is None:
        return f"nova knows no compute node {named.uuid}"
    return f"nova knows compute node {named.uuid}: node {owner.node} of host {owner.host}"


def _cell_down(snapshot: Snapshot) -> Diagnosis:
    hosts = ", ".join(snapshot.unreachable_hosts[:5])
    return Diagnosis(
        CANNOT_TELL,
        f"a cell is down: nova cannot show host(s) {hosts}; a compute node of this name may hide there. "
        f"Bring the cell's database back, then try again",
    )
