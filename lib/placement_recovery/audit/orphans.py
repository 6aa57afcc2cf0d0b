"""Allocations whose owner is gone or lives elsewhere, by the same decisions as in a recovery's plan.

No list of Placement's shows them: it takes one request per provider. They are read of stale providers, and of all only
where that was asked for.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, Set, Tuple

from placement_recovery import commands
from placement_recovery.audit.cloud_view import CloudView
from placement_recovery.audit.findings import ORPHANED_ALLOCATION, Finding
from placement_recovery.audit.nodes import Proven
from placement_recovery.cloud.model import Hypervisor, Migration, Server
from placement_recovery.plan.consumers import DROP, TRIM, Decision, View, decide, view_of
from placement_recovery.plan.owners import UNKNOWN
from placement_recovery.recovery.context import Context

NOT_DEEP = "allocations on providers that are not stale: deep=true reads them, with one request per provider"


def orphans_of_stale(proven: Iterable[Proven]) -> Iterator[Finding]:
    """Those on stale providers; a recovery takes them away."""
    for one in proven:
        view = view_of(one.snapshot)
        for decision in _orphans(decide(consumer, view) for consumer in one.snapshot.consumers):
            way = commands.recover(one.name, unknown="drop" if decision.kind == UNKNOWN else "")
            yield _finding(one.hypervisor, view.stale, decision, way)


def orphans_of_all(context: Context, seen: CloudView, stale: Set[str]) -> List[Finding]:
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


def _trees(seen: CloudView, stale: Set[str]) -> Dict[str, Tuple[str, ...]]:
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
    context: Context, seen: CloudView, node: Hypervisor, tree: Tuple[str, ...], ids: Set[str]
) -> Iterator[Finding]:
    if not ids:
        return
    consumers = [one for one in context.reader.show_consumers(ids) if one.on(tree)]
    owners = context.reader.owners(node.host, [one.uuid for one in consumers])
    view = View(node.host, node.node, tree, owners, seen.hypervisors)
    for decision in _orphans(decide(one, view) for one in consumers):
        yield _finding(node, tree, decision, _by_hand(decision, tree))


def _orphans(decisions: Iterable[Decision]) -> Iterator[Decision]:
    return (one for one in decisions if one.disposition in (DROP, TRIM) or one.kind == UNKNOWN)


def _by_hand(decision: Decision, tree: Tuple[str, ...]) -> str:
    """What takes it away where no recovery does."""
    if decision.kind == UNKNOWN:
        return commands.show_allocations(consumer=decision.uuid)
    if decision.disposition == DROP:
        return f"openstack resource provider allocation delete {decision.uuid}"
    # `allocation delete` would take what it holds elsewhere, too.
    where = " ".join(f"--provider {uuid}" for uuid in sorted(decision.consumer.on(tree)))
    return f"openstack --os-placement-api-version 1.28 resource provider allocation unset {where} {decision.uuid}"


def _finding(node: Hypervisor, tree: Tuple[str, ...], decision: Decision, way: str) -> Finding:
    who = " ".join(filter(None, (decision.kind, decision.name, decision.uuid)))
    held = ", ".join(
        f"{name}={amount}" for part in decision.consumer.on(tree).values() for name, amount in sorted(part.items())
    )
    summary = f"{who} holds {held} on {node.node}: {decision.evidence}"
    return Finding(ORPHANED_ALLOCATION, node.host, decision.uuid, summary, way)
