"""Who holds the stale provider, and what becomes of each: one decision per consumer, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, FrozenSet, Tuple

from placement_recovery import commands
from placement_recovery.cloud.model import Consumer, Hypervisor, Migration, Server
from placement_recovery.cloud.snapshot import Owners, Snapshot
from placement_recovery.plan.method import DISCARD, TRANSPLANT
from placement_recovery.plan.owners import (
    DELETED_SERVER,
    HOSTLESS_SERVER,
    MIGRATION,
    MOVED_SERVER,
    SERVER,
    UNKNOWN,
    can_be_reverted,
    what_server_waits_for,
)

KEEP = "keep"
TRIM = "trim"
DROP = "drop"
BLOCKED = "blocked"

# What Nova itself allocates for servers; who holds anything else is somebody else's consumer.
NOVA_CLASSES: FrozenSet[str] = frozenset(
    ("VCPU", "PCPU", "MEMORY_MB", "DISK_GB", "VGPU", "MEM_ENCRYPTION_CONTEXT")
)
_UNKNOWN_FACT = "no server, no deleted server, no instance action and no migration has this UUID"
NOVA_TYPES = frozenset(("", "INSTANCE", "MIGRATION"))


@dataclass(frozen=True)
class Decision:
    """What a consumer is, what is done with its part on the stale tree, and why.

    `unproven` marks what goes without evidence, which only an approval allows. `ownerless` marks what has no owner any
    more that could change it, so that a rollback brings it back as it was. `mover` is the server of a migration.
    """

    consumer: Consumer
    kind: str
    disposition: str
    evidence: str
    name: str = ""
    unproven: bool = False
    ownerless: bool = False
    mover: str = ""

    @property
    def uuid(self) -> str:
        """The consumer's."""
        return self.consumer.uuid

    @property
    def label(self) -> str:
        """Its kind and name, for a message."""
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True)
class View:
    """What decisions are made from: the host, its stale tree, and what Nova knows."""

    host: str
    node: str
    stale: Tuple[str, ...]
    owners: Owners
    hypervisors: Tuple[Hypervisor, ...]
    unknown: str = KEEP

    def home_of(self, server: Server) -> str:
        """The compute node's (and so its provider's) UUID where a server lives; "" where nova lists none."""
        return next((one.uuid for one in self.hypervisors if (one.host, one.node) == (server.host, server.node)), "")


def view_of(snapshot: Snapshot, unknown: str = KEEP) -> View:
    """The part of a snapshot that decisions need; it has a hypervisor and a stale tree."""
    assert snapshot.hypervisor is not None
    return View(
        host=snapshot.hypervisor.host,
        node=snapshot.hypervisor.node,
        stale=tuple(one.uuid for one in snapshot.tree),
        owners=snapshot.owners,
        hypervisors=snapshot.hypervisors,
        unknown=unknown,
    )


def give_up(decision: Decision, view: View) -> Decision:
    """The same for discard: what would be kept goes, and what is unknown stands in the way."""
    if decision.disposition != KEEP:
        return decision
    if decision.kind == UNKNOWN:
        return replace(
            decision,
            disposition=BLOCKED,
            evidence=f"{_UNKNOWN_FACT}; discard would take it from its owner, whoever that is. Use preserve, which "
            f"keeps it, or unknown=drop",
        )
    disposition = TRIM if decision.consumer.without(view.stale) else DROP
    return replace(decision, disposition=disposition, evidence=f"{decision.evidence}; given up by discard")


def carry(decision: Decision, view: View) -> Decision:
    """The same for transplant: keeping costs nothing there, so what is not proven to be left over is moved along."""
    if not decision.unproven or view.unknown == DROP:
        return decision
    return replace(
        decision, disposition=KEEP, evidence=f"{decision.evidence}; moved along (unknown=drop takes it away)",
        unproven=False, ownerless=False,
    )


def decide_by_method(decision: Decision, view: View, method: str) -> Decision:
    """What a method makes of a decision."""
    by_method = {DISCARD: give_up, TRANSPLANT: carry}
    return by_method[method](decision, view) if method in by_method else decision


def decide(consumer: Consumer, view: View) -> Decision:
    """Decide for the methods that keep servers."""
    server = view.owners.servers.get(consumer.uuid)
    if server is not None:
        return _judge_server(consumer, server, view)
    migration = view.owners.migration(consumer.uuid)
    if migration is not None:
        return _judge_migration(consumer, migration, view)
    evidence = view.owners.deleted.get(consumer.uuid)
    if evidence:
        return _take_away(consumer, view, DELETED_SERVER, evidence)
    return _judge_unknown(consumer, view)


def _take_away(consumer: Consumer, view: View, kind: str, evidence: str, **more: object) -> Decision:
    """Its part on the stale tree goes; whoever holds nothing else is gone then."""
    disposition = TRIM if consumer.without(view.stale) else DROP
    return Decision(consumer, kind, disposition, evidence, ownerless=True, **more)  # type: ignore[arg-type]


def _judge_server(consumer: Consumer, server: Server, view: View) -> Decision:
    block = what_server_waits_for(server, view.owners)
    if block:
        return Decision(consumer, SERVER, BLOCKED, block, server.name)
    if not server.host:
        return _judge_hostless(consumer, server, view)
    if server.host == view.host:
        return _judge_here(consumer, server, view)
    return _judge_elsewhere(consumer, server, view)


def _judge_hostless(consumer: Consumer, server: Server, view: View) -> Decision:
    if server.status in ("SHELVED_OFFLOADED", "ERROR"):
        fact = f"{server.status}, and on no host"
        return _take_away(consumer, view, HOSTLESS_SERVER, fact, name=server.name, unproven=True)
    fact = f"{server.status}, and on no host yet; wait until it is built, or delete it"
    return Decision(consumer, HOSTLESS_SERVER, BLOCKED, fact, server.name)


def _judge_here(consumer: Consumer, server: Server, view: View) -> Decision:
    where = f"{server.status} on {server.host}"
    if server.node != view.node:
        under = f"under node name {server.node}" if server.node else "on no node of it"
        fact = (
            f"{where}, but {under}: nova does not track it on {view.node}. Bring its node name back, or move the "
            f"server, first"
        )
        return Decision(consumer, SERVER, BLOCKED, fact, server.name)
    elsewhere = [one for one in view.hypervisors if one.uuid in consumer.without(view.stale)]
    if server.status == "VERIFY_RESIZE" and elsewhere:
        fact = f"{where}, and itself holds {elsewhere[0].host} too: confirm or revert the resize first"
        return Decision(consumer, SERVER, BLOCKED, fact, server.name)
    return Decision(consumer, SERVER, KEEP, where, server.name)


def _judge_elsewhere(consumer: Consumer, server: Server, view: View) -> Decision:
    where = f"{server.status} on {server.host}"
    if server.status == "VERIFY_RESIZE":
        # The source confirms: its nova-compute cannot update its provider then, and the server ends in ERROR.
        fact = (
            f"{where}, and itself holds the stale provider: revert the resize first (confirming it fails, and sets it "
            f"to ERROR, as long as {view.host} is broken)"
        )
        return Decision(consumer, MOVED_SERVER, BLOCKED, fact, server.name)
    if view.home_of(server) not in consumer.without(view.stale):
        fact = (
            f"{where}, but it holds nothing of the provider there: taking away its part here could leave it without "
            f"any. Look at '{commands.heal_allocations(server.uuid)}' first"
        )
        return Decision(consumer, MOVED_SERVER, BLOCKED, fact, server.name)
    return _take_away(consumer, view, MOVED_SERVER, f"{where}, where it holds its allocation", name=server.name)


def _judge_migration(consumer: Consumer, migration: Migration, view: View) -> Decision:
    return replace(_judge_move(consumer, migration, view), mover=migration.server_uuid)


def _judge_move(consumer: Consumer, migration: Migration, view: View) -> Decision:
    server = view.owners.servers.get(migration.server_uuid)
    move = f"{migration.type} of server {migration.server_uuid} ({migration.status})"
    if server is None and not migration.is_open:
        return _take_away(consumer, view, MIGRATION, f"{move}; the server is gone")
    name = server.name if server else ""
    block = f"{move} is under way; wait until it is over" if migration.is_open else ""
    if server is not None:
        block = block or what_server_waits_for(server, view.owners)
        if can_be_reverted(migration, view.owners) and not block:
            return Decision(consumer, MIGRATION, KEEP, f"{move} can still be reverted to this host", name)
        if server.status == "VERIFY_RESIZE" or migration.status == "finished":
            block = block or f"{move}, but the server is {server.status}: confirm or revert the resize first"
    if block:
        return Decision(consumer, MIGRATION, BLOCKED, block, name)
    return _take_away(consumer, view, MIGRATION, f"{move}; the server is settled", name=name)


def _judge_unknown(consumer: Consumer, view: View) -> Decision:
    fact = _UNKNOWN_FACT
    foreign = _foreign_classes(consumer, view)
    if not foreign:
        fact += "; likely the leftover of a failed move"
    if view.unknown == KEEP:
        return Decision(consumer, UNKNOWN, KEEP, f"{fact}; kept (unknown=drop takes it away)")
    if foreign:
        held = ", ".join(sorted(foreign))
        fact += f"; it holds {held}, which is not nova's: remove it with the service that made it, or use unknown=keep"
        return Decision(consumer, UNKNOWN, BLOCKED, fact)
    return _take_away(consumer, view, UNKNOWN, fact, unproven=True)


def _foreign_classes(consumer: Consumer, view: View) -> Dict[str, int]:
    """What of its holdings shows that another service than Nova made it."""
    held = {name: amount for part in consumer.allocations.values() for name, amount in part.items()}
    if consumer.type not in NOVA_TYPES:
        return {f"consumer type {consumer.type}": 1}
    return {name: amount for name, amount in held.items() if name not in NOVA_CLASSES}
