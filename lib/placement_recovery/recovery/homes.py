"""Servers that moved to another host in the moment of a write of ours, which took what they had just got there.

A consumer that its owner empties and makes anew bears a generation again that was read before, so Placement takes a
write that is based on the older look.
"""

from __future__ import annotations

from typing import List

from placement_recovery import commands
from placement_recovery.cloud.model import Consumer, Server
from placement_recovery.errors import ConsumerChanged
from placement_recovery.plan.consumers import Decision, View
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context


def lives_elsewhere(uuid: str, view: View) -> bool:
    """Whether this consumer is a server, and on another host or node."""
    server = view.owners.servers.get(uuid)
    return server is not None and bool(server.host) and (server.host, server.node) != (view.host, view.node)


def view_now(context: Context, saved: Saved) -> View:
    """What Nova shows of the saved consumers now. Raises CellSilent where it cannot show all of it."""
    owners = context.reader.sure_owners(saved.host, [one.uuid for one in saved.consumers])
    return View(saved.host, saved.node, saved.stale_uuids, owners, context.nova.hypervisors(), saved.unknown)


def without_a_home(context: Context, saved: Saved, view: View) -> List[str]:
    """Servers that live elsewhere now and do not hold what a server holds there, though this recovery wrote them.

    Who held a part of that host before, a disk for example, may have that one back in place of its new one: a server's
    memory is always allocated on its own compute node's provider.
    """
    elsewhere = {one.uuid: one for one in saved.consumers if lives_elsewhere(one.uuid, view)}
    found = context.reader.show_consumers(elsewhere)
    return [one.uuid for one in found if not _is_at_home(one, elsewhere[one.uuid], view.owners.servers[one.uuid], view)]


def require_homes(context: Context, saved: Saved, view: View) -> None:
    """Raise ConsumerChanged for such servers, with the command that heals one."""
    homeless = without_a_home(context, saved, view)
    if homeless:
        heal = commands.heal_allocations(homeless[0], force=True)
        raise ConsumerChanged(
            f"{len(homeless)} server(s) moved away in the moment of a write and do not hold what they need of the host "
            f"where they live: {', '.join(homeless[:5])}. Give each its allocation back ('{heal}'), then try again"
        )


def _is_at_home(held: Consumer, decision: Decision, server: Server, view: View) -> bool:
    home = view.home_of(server)
    if not home:  # nova lists no compute node there, so no provider is known to be its home
        return bool(held.allocations)
    here = held.allocations.get(home, {})
    saved_parts = decision.consumer.on(view.stale).values()
    return "MEMORY_MB" in here or (bool(here) and not any("MEMORY_MB" in part for part in saved_parts))
