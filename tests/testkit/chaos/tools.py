"""Others' tools, run by cron or by somebody at a bad moment: nova-manage placement audit and heal_allocations."""

from __future__ import annotations

from typing import Any, Callable, Dict

from placement_recovery import commands
from testkit.api import Unexpected
from testkit.chaos.world import World
from testkit.placement import ONE_SERVER


def audit_and_delete(world: World) -> None:
    """`placement audit --delete`: a root that is no compute node's has only orphans, and loses their allocations.

    Here that is the root which a transplant set aside. Before, the audit strips the host because of the fault itself.
    """
    cloud, root = world.cloud, world.stale.stale_uuid
    found = cloud.show_provider(root)
    if found is None or found["name"] == world.stale.node:
        return
    for consumer in sorted(cloud.provider_allocations(root)):
        parts = {uuid: held for uuid, held in cloud.allocations(consumer).items() if uuid != root}
        _written(world, consumer, parts)


def heal(world: World) -> None:
    """`heal_allocations`: servers that hold nothing get their flavor's amounts on their compute node's provider."""
    for server in sorted(world.here):
        if not world.cloud.allocations(server):
            _written(world, server, {world.stale.compute_uuid: ONE_SERVER})


def heal_by_force(world: World) -> None:
    """`heal_allocations --force`: what each server holds is replaced, its parts on other providers too.

    Only while the stale root stands: whoever is healed later is nobody's business but the tool's.
    """
    if world.cloud.show_provider(world.stale.stale_uuid) is None:
        return
    for server in sorted(world.here):
        if _written(world, server, {world.stale.compute_uuid: ONE_SERVER}):
            # What it held of the host's child is the recovery's to set again, as all that it held of the host.
            parts = world.elsewhere.pop(server, {})
            world.elsewhere[server] = {uuid: part for uuid, part in parts.items() if uuid == world.child}


TOOLS: Dict[str, Callable[[World], None]] = {
    "audit_and_delete": audit_and_delete, "heal": heal, "heal_by_force": heal_by_force,
}


def _written(world: World, consumer: str, parts: Dict[str, Any]) -> bool:
    """Whether Placement took it. 400 where there is no such provider (yet), 409 where somebody was faster."""
    try:
        world.cloud.allocate(consumer, parts)
    except Unexpected as error:
        if error.status not in (400, 409):
            raise
        return False
    world.rewritten = True
    return True


def heal_homeless(world: World, advice: str) -> bool:
    """What a recovery tells its operator to do about servers that moved away in the moment of a write, if it does.

    True where one of them held nothing of the host where it lives, and was named with the command.
    """
    healed = False
    for server, parts in world.elsewhere.items():
        if server in advice and commands.heal_allocations(server, force=True) in advice:
            healed |= _written(world, server, parts)
    return healed
