"""Allocations whose owner is gone or lives elsewhere, by the same decisions as in a recovery's plan.

No list of Placement's shows them: it takes a request a provider. They are read of stale providers, and of all only
where that was asked for.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, Set, Tuple

from placement_recovery.audit.findings import ORPHANED_ALLOCATION, RECOVER, Finding
from placement_recovery.audit.look import Look
from placement_recovery.audit.nodes import Proven
from placement_recovery.model import Hypervisor, Migration, Server
from placement_recovery.plan.consumers import DROP, TRIM, UNKNOWN, Decision, View, decide, view_of
from placement_recovery.recovery.context import Context

NOT_DEEP = "allocations on providers that are not stale: deep=true reads them, with one request a provider"


def orphans_of_stale(proven: Iterable[Proven]) -> Iterator[Finding]:
    """Those on stale providers; a recovery takes them away."""
    for one in proven:
        view = view_of(one.snapshot)
        for decision in _orphans(decide(consumer, view) for consumer in one.snapshot.consumers):
            way = f"{RECOVER}{one.name}" + (" unknown=drop" if decision.kind == UNKNOWN else "")
            yield _finding(one.hypervisor, decision, way)


def orphans_of_all(context: Context, seen: Look, stale: Set[str]) -> List[Finding]:
    """Those on all compute nodes' provider trees but the stale ones.

    Allocations are read before servers and moves, so that who came meanwhile is no orphan; who seems to be one is then
    looked at by itself.
    """
    trees = _trees(seen, stale)
    providers = [uuid for uuids in trees.values() for uuid in uuids]
    holders = dict(zip(providers, context.reader.each(context.placement.consumers_of, providers)))
    servers = {one.uuid: one for one in context.nova.all_servers()}
    moves = {one.uuid: one for one in context.nova.all_migrations()}
    nodes = {one.uuid: one for one in seen.hypervisors}
    found: List[Finding] = []
    for root, uuids in trees.items():
        node = nodes[root]
        ids = {one for uuid in uuids for one in holders[uuid] if _is_suspect(one, node, servers, moves)}
        found += _looked_at(context, seen, node, uuids, ids)
    return found


def _trees(seen: Look, stale: Set[str]) -> Dict[str, Tuple[str, ...]]:
    """Each compute node's own provider with its whole tree, by the root's UUID."""
    nodes = {one.uuid for one in seen.hypervisors}
    found: Dict[str, Tuple[str, ...]] = {}
    for one in seen.providers:
        root = one.root_uuid or one.uuid
        if root in nodes and root not in stale:
            found[root] = (*found.get(root, ()), one.uuid)
    return found


def _is_suspect(uuid: str, node: Hypervisor, servers: Mapping[str, Server], moves: Mapping[str, Migration]) -> bool:
    server, move = servers.get(uuid), moves.get(uuid)
    if server is not None:
        return (server.host, server.node) != (node.host, node.node)
    if move is None:
        return True
    owner = servers.get(move.server_uuid)
    return not move.is_open and not (owner is not None and owner.status == "VERIFY_RESIZE")


def _looked_at(
    context: Context, seen: Look, node: Hypervisor, tree: Tuple[str, ...], ids: Set[str]
) -> Iterator[Finding]:
    if not ids:
        return
    consumers = [one for one in context.reader.show_consumers(ids) if one.on(tree)]
    owners = context.reader.owners(node.host, [one.uuid for one in consumers])
    view = View(node.host, node.node, tree, owners, seen.hypervisors)
    for decision in _orphans(decide(one, view) for one in consumers):
        yield _finding(node, decision, _by_hand(decision))


def _orphans(decisions: Iterable[Decision]) -> Iterator[Decision]:
    return (one for one in decisions if one.disposition in (DROP, TRIM) or one.kind == UNKNOWN)


def _by_hand(decision: Decision) -> str:
    """What takes it away where no recovery does."""
    if decision.kind == UNKNOWN:
        return f"st2 run placement_recovery.show_allocations consumer={decision.consumer}"
    if decision.disposition == DROP:
        return f"openstack resource provider allocation delete {decision.consumer}"
    # `allocation delete` would take what it holds elsewhere, too.
    where = " ".join(f"--provider {uuid}" for uuid in sorted(decision.resources))
    return f"openstack --os-placement-api-version 1.28 resource provider allocation unset {where} {decision.consumer}"


def _finding(node: Hypervisor, decision: Decision, way: str) -> Finding:
    who = " ".join(filter(None, (decision.kind, decision.name, decision.consumer)))
    held = ", ".join(
        f"{name}={amount}" for part in decision.resources.values() for name, amount in sorted(part.items())
    )
    told = f"{who} holds {held} on {node.node}: {decision.evidence}"
    return Finding(ORPHANED_ALLOCATION, node.host, decision.consumer, told, way)
