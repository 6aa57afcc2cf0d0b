"""A host with the fault and all sorts of consumers, and the judgement on what a recovery left of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Set

from placement_recovery.records.record import FINISHED, OPEN
from placement_recovery.recovery.context import Context
from testkit.api import Unexpected
from testkit.cloud import Cloud, Host, StaleHost, new_name
from testkit.looks import enabled, lock_traits
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER, Resources

OWN_TRAIT = "CUSTOM_CHAOS_OWN"
LICENCES = {**NOVA_INVENTORIES, "CUSTOM_CHAOS_LICENCE": 50}


@dataclass
class World:
    """The host, and for each consumer what it ought to hold: nobody's word but that of Nova's side of the story.

    `kept` is what lives on the host, `leftovers` what a recovery takes away and a rollback gives back, both by
    consumer; `elsewhere` is what any of them holds of other providers; `gone` are those that shall hold nothing.
    """

    cloud: Cloud
    stale: StaleHost
    other: Host
    kept: Dict[str, Resources] = field(default_factory=dict)
    leftovers: Dict[str, Resources] = field(default_factory=dict)
    elsewhere: Dict[str, Dict[str, Resources]] = field(default_factory=dict)
    resizes: Dict[str, str] = field(default_factory=dict)  # migration: server
    gone: Set[str] = field(default_factory=set)
    here: Set[str] = field(default_factory=set)  # servers that run on the host
    away: Set[str] = field(default_factory=set)  # servers that run on the other one, and hold this one too

    @classmethod
    def of(cls, cloud: Cloud) -> World:
        """A host without any consumer, with settings of its operator's."""
        aggregate = cloud.provider(f"share-{new_name()}", inventories={"DISK_GB": 1000}, traits=())
        stale = cloud.stale_host(servers=0, inventories=LICENCES, traits=["COMPUTE_NODE", OWN_TRAIT],
                                 aggregates=[aggregate])
        return cls(cloud, stale, cloud.healthy_host())

    @classmethod
    def mixed(cls, cloud: Cloud, method: str = "preserve") -> World:
        """One of each kind of consumer; with `discard`, what would be kept shall go."""
        world = cls.of(cloud)
        world.add_server()
        world.add_server()
        world.add_spread_server()
        world.add_resized_server()
        world.add_moved_server()
        world.add_deleted_server()
        if method == "discard":
            world.discard()
        return world

    # who holds something

    def add_server(self) -> str:
        """A server that runs here."""
        server = self.cloud.server(host=self.stale.host, node=self.stale.node)
        self.kept[server] = ONE_SERVER
        self.here.add(server)
        return self._allocated(server)

    def add_spread_server(self) -> str:
        """A server that runs here, with its disk elsewhere, and a type."""
        server = self.cloud.server(host=self.stale.host, node=self.stale.node)
        self.kept[server] = {**ONE_SERVER, "CUSTOM_CHAOS_LICENCE": 2}
        self.elsewhere[server] = {self.other.uuid: {"DISK_GB": 7}}
        self.here.add(server)
        return self._allocated(server, consumer_type="INSTANCE")

    def add_resized_server(self) -> str:
        """A resize from here that may still be reverted: its migration holds the part here."""
        server = self.cloud.server(host=self.other.host, node=self.other.node, vm_state="resized")
        move = self.cloud.migration(
            server, source_host=self.stale.host, dest_host=self.other.host, status="finished", type="resize"
        )
        self.elsewhere[server] = {self.other.uuid: ONE_SERVER}
        self.kept[move] = ONE_SERVER
        self.resizes[move] = server
        self._allocated(server)
        return self._allocated(move)

    def add_moved_server(self) -> str:
        """A server that runs on the other host, and still holds this one."""
        server = self.cloud.server(host=self.other.host, node=self.other.node)
        self.leftovers[server] = ONE_SERVER
        self.elsewhere[server] = {self.other.uuid: ONE_SERVER}
        self.away.add(server)
        return self._allocated(server)

    def add_deleted_server(self) -> str:
        """A server that was deleted while its allocation could not be."""
        server = self.cloud.server(host=self.stale.host, node=self.stale.node)
        self.leftovers[server] = ONE_SERVER
        self._allocated(server)
        self.cloud.delete_server(server)
        return server

    # what others do, as Nova does it

    def do(self, change: str, pick: int) -> None:
        """One of the changes below, to one of those that it can happen to, if there are any."""
        holders = {*self.kept, *self.leftovers}
        able = {
            "delete_server": self.here | self.away,
            "move_server": self.here,
            "confirm_resize": holders & set(self.resizes),
        }
        chosen = sorted(able.get(change, holders))
        if chosen:
            getattr(self, change)(chosen[pick % len(chosen)])

    def delete_server(self, server: str) -> None:
        """Its owner deletes it: Nova takes its allocations."""
        self.cloud.delete_server(server)
        self._forget(server)

    def move_server(self, server: str) -> None:
        """It goes to the other host."""
        self.cloud.set_server(server, host=self.other.host, node=self.other.node)
        self._forget(server)
        self.elsewhere[server] = {self.other.uuid: ONE_SERVER}
        self.cloud.allocate(server, self.elsewhere[server])

    def confirm_resize(self, migration: str) -> None:
        """Its owner confirms the resize: what was kept here goes."""
        self.cloud.set_server(self.resizes[migration], vm_state="active")
        self.cloud.set_migration(migration, status="confirmed")
        self._forget(migration)

    def touch(self, consumer: str) -> None:
        """Written again as it is, at a later generation."""
        self._write(consumer, self.cloud.allocations(consumer))

    def grow_elsewhere(self, consumer: str) -> None:
        """It gets a part of the other host, unless it holds nothing at the moment."""
        held = self.cloud.allocations(consumer)
        if held:
            more = {**self.elsewhere.get(consumer, {}), self.other.uuid: {"DISK_GB": 9}}
            self._write(consumer, {**held, **more})
            self.elsewhere[consumer] = more

    def _forget(self, consumer: str) -> None:
        self.kept.pop(consumer, None)
        self.leftovers.pop(consumer, None)
        self.elsewhere.pop(consumer, None)
        self.here.discard(consumer)
        self.away.discard(consumer)
        self.gone.add(consumer)
        self._write(consumer, {})

    def _write(self, consumer: str, parts: Dict[str, Any]) -> None:
        """As Nova does it: again, where somebody else was faster."""
        for _ in range(5):
            try:
                return self.cloud.allocate(consumer, parts)
            except Unexpected as error:
                if error.status != 409:
                    raise
        raise AssertionError(f"consumer {consumer} changes all the time")

    def discard(self) -> None:
        """What was kept shall go."""
        self.leftovers.update(self.kept)
        self.kept.clear()

    def _allocated(self, consumer: str, **more: Any) -> str:
        here = {**self.leftovers, **self.kept}.get(consumer)
        parts = {self.stale.stale_uuid: here} if here else {}
        self.cloud.allocate(consumer, {**self.elsewhere.get(consumer, {}), **parts}, **more)
        return consumer

    # the judgement

    def problems(self, context: Context, recovery_id: str) -> List[str]:
        """All that is not as it ought to be, now that the recovery has ended; empty where nothing was lost."""
        state = context.journal(recovery_id).progress.state
        if state == OPEN:
            return ["the recovery is still open"]
        provider = self.stale.compute_uuid if state == FINISHED else self.stale.stale_uuid
        held = self.kept if state == FINISHED else {**self.kept, **self.leftovers}
        found = [
            f"{state}: {what} is {seen}, not {wanted}"
            for what, seen, wanted in (
                ("the provider of the name", self.cloud.find_provider(self.stale.node), provider),
                ("what is allocated on it", self.cloud.provider_allocations(provider), held),
                ("the service", self.cloud.service(self.stale.host), enabled()),
                ("the lock", lock_traits(self.cloud, recovery_id), []),
                ("the operator's trait", OWN_TRAIT in self.cloud.traits(provider), True),
                ("the licences", self.cloud.inventories(provider).get("CUSTOM_CHAOS_LICENCE", {}).get("total"), 50),
            )
            if seen != wanted
        ]
        return found + self._consumer_problems(provider, held)

    def _consumer_problems(self, provider: str, held: Dict[str, Resources]) -> List[str]:
        found = []
        for consumer in sorted({*self.kept, *self.leftovers, *self.elsewhere, *self.gone}):
            part = {provider: dict(held[consumer])} if consumer in held else {}
            wanted = {**{uuid: dict(one) for uuid, one in self.elsewhere.get(consumer, {}).items()}, **part}
            seen = self.cloud.allocations(consumer)
            if seen != wanted:
                found.append(f"consumer {consumer} holds {seen}, not {wanted}")
        return found
