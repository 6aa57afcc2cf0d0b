"""What Nova shows of a consumer's owner. The rules stand here once: for the plan, and for the looks around each write.

Placement cannot tell whether an absent allocation was taken away by us or by its owner; Nova can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from placement_recovery.cloud.model import Migration, Server
from placement_recovery.cloud.snapshot import Owners

# The kinds of consumers that a plan tells apart.
SERVER = "server"
MOVED_SERVER = "moved server"
HOSTLESS_SERVER = "server without a host"
DELETED_SERVER = "deleted server"
MIGRATION = "migration"
UNKNOWN = "unknown"

# What becomes of a saved part: it is the consumer's still, it is not any more, or that is not settled yet.
HELD = "held"
GONE = "gone"
UNDER_WAY = "under way"


@dataclass(frozen=True)
class Verdict:
    """Whether a consumer's saved part is still its own (HELD, GONE or UNDER_WAY), and why."""

    what: str
    reason: str


def what_server_waits_for(server: Server, owners: Owners) -> str:
    """Why nobody may write this server's allocations now; "" where nothing is under way."""
    if server.status == "UNKNOWN":
        return "its cell is down; bring the cell's database back"
    moves = owners.open_moves(server.uuid)
    if moves:
        return f"{moves[0].route} is {moves[0].status}; wait until it is over"
    if server.task_state:
        return (
            f"task {server.task_state} is under way; wait until it is over "
            f"(or reset the server's state where it is stuck)"
        )
    return ""


def can_be_reverted(migration: Migration, owners: Owners) -> bool:
    """Whether a revert would need the source part that this migration holds."""
    server = owners.servers.get(migration.server_uuid)
    return migration.status == "finished" and server is not None and server.status == "VERIFY_RESIZE"


def judge_owner(uuid: str, kind: str, mover: str, host: str, node: str, owners: Owners) -> Verdict:
    """The verdict on a consumer of this kind that held a part on the node of this host, as Nova shows things now.

    `mover` is the server of a migration.
    """
    server = owners.servers.get(uuid)
    if server is not None:
        return _judge_server(server, kind, host, node, owners)
    migration = owners.migration(uuid)
    if migration is not None:
        return _judge_migration(migration, owners)
    if uuid in owners.deleted:
        return Verdict(GONE, f"deleted meanwhile: {owners.deleted[uuid]}")
    if kind == UNKNOWN:
        return Verdict(HELD, "as unknown as before")
    if kind == MIGRATION:
        return _judge_unlisted_migration(owners.servers.get(mover))
    return Verdict(GONE, f"nova does not know this {kind} any more")


def _judge_unlisted_migration(server: Optional[Server]) -> Verdict:
    """A cell may have left it out of the list without a word: only a server that is settled or gone says that it ended.

    Nova answers 404 for a server from its API database, which no cell hides.
    """
    if server is None:
        return Verdict(GONE, "nova does not know this migration any more, nor its server")
    if server.status in ("UNKNOWN", "VERIFY_RESIZE") or server.task_state:
        return Verdict(UNDER_WAY, f"nova does not list it, though its server {server.uuid} is {server.status}")
    return Verdict(GONE, f"nova does not know this migration any more, and its server is {server.status}")


def _judge_server(server: Server, kind: str, host: str, node: str, owners: Owners) -> Verdict:
    waits_for = what_server_waits_for(server, owners)
    if waits_for:
        return Verdict(UNDER_WAY, f"server {server.uuid}: {waits_for}")
    if kind == HOSTLESS_SERVER and not server.host:
        return Verdict(HELD, f"{server.status}, and on no host as before")
    if (server.host, server.node) == (host, node):
        return Verdict(HELD, f"{server.status} on {server.host}")
    return Verdict(GONE, f"{server.status} on {server.host or 'no host'} meanwhile")


def _judge_migration(migration: Migration, owners: Owners) -> Verdict:
    move = f"{migration.type} {migration.uuid} is {migration.status}"
    server = owners.servers.get(migration.server_uuid)
    if migration.is_open or (server is not None and server.task_state):
        return Verdict(UNDER_WAY, f"{move}; it is under way")
    if can_be_reverted(migration, owners):
        return Verdict(HELD, f"{move} and can be reverted")
    return Verdict(GONE, f"{move} meanwhile")
