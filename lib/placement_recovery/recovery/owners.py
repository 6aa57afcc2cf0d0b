"""Ask Nova, before each restoring write and after it, whether a consumer is still what it was.

Placement cannot tell: the allocation is absent because we took it away. Whoever was deleted, moved, confirmed or
reverted meanwhile must not get it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable

from placement_recovery.model import Server
from placement_recovery.plan.consumers import UNKNOWN
from placement_recovery.record.record import Saved, SavedConsumer
from placement_recovery.recovery.context import Context
from placement_recovery.snapshot import Owners

SET = "set"
SKIP = "skip"
WAIT = "wait"


@dataclass(frozen=True)
class Verdict:
    """Whether a saved consumer gets its allocation back now, not at all, or later; and why."""

    what: str
    reason: str


def ask(context: Context, saved: Saved, entries: Iterable[SavedConsumer]) -> Dict[str, Verdict]:
    """A verdict for each saved consumer, by its UUID, as Nova shows things now."""
    chosen = list(entries)
    owners = context.reader.owners(saved.host, [one.consumer.uuid for one in chosen])
    return {one.consumer.uuid: judge(one, saved, owners) for one in chosen}


def judge(entry: SavedConsumer, saved: Saved, owners: Owners) -> Verdict:
    """The verdict on one saved consumer that was to be kept."""
    uuid = entry.consumer.uuid
    server = owners.servers.get(uuid)
    if server is not None:
        return _server(server, saved, owners)
    migration = owners.migration(uuid)
    if migration is not None:
        move = f"{migration.type} {uuid} is {migration.status}"
        holder = owners.servers.get(migration.server_uuid)
        if migration.is_open or (holder is not None and holder.task_state):
            return Verdict(WAIT, f"{move}; it is under way")
        if migration.status == "finished" and holder is not None and holder.status == "VERIFY_RESIZE":
            return Verdict(SET, f"{move} and can be reverted")
        return Verdict(SKIP, f"{move} meanwhile")
    if uuid in owners.deleted:
        return Verdict(SKIP, f"deleted meanwhile: {owners.deleted[uuid]}")
    if entry.kind == UNKNOWN:
        return Verdict(SET, "as unknown as before")
    return Verdict(SKIP, f"nova knows this {entry.kind} no more")


def _server(server: Server, saved: Saved, owners: Owners) -> Verdict:
    if server.status == "UNKNOWN":
        return Verdict(WAIT, f"the cell of server {server.uuid} is down")
    moves = [one for one in owners.migrations if one.server_uuid == server.uuid and one.is_open]
    if moves:
        return Verdict(WAIT, f"{moves[0].type} of server {server.uuid} is {moves[0].status}")
    if server.task_state:
        return Verdict(WAIT, f"task {server.task_state} of server {server.uuid} is under way")
    if (server.host, server.node) == (saved.host, saved.node):
        return Verdict(SET, f"{server.status} on {server.host}")
    return Verdict(SKIP, f"{server.status} on {server.host or 'no host'} meanwhile")
