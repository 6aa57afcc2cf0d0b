"""A host with the fault and all sorts of consumers, and what their owners do with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Set

from testkit.api import Unexpected
from testkit.cloud import Cloud, Host, StaleHost, new_name
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER, Inventories, Resources
from testkit.rows import new_uuid

OWN_TRAIT = "CUSTOM_CHAOS_OWN"
LICENCES = {**NOVA_INVENTORIES, "CUSTOM_CHAOS_LICENCE": 50}


@dataclass
class World:
    """The host, and for each consumer what it ought to hold: nobody's word but that of Nova's side of the story.

    `kept` is what lives on the host, `leftovers` what a recovery takes away and a rollback gives back, both by
    consumer; `elsewhere` is what any of them holds of other providers, the host's `child` among them, which keeps its
    UUID; `gone` are those that shall hold nothing.
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
    reported: Inventories = field(default_factory=lambda: NOVA_INVENTORIES)  # by nova-compute
    child: str = ""  # below the root, where there is one
    tight: bool = False  # more is allocated than the host has
    rewritten: bool = False  # others' tools took or replaced allocations of live servers
    settings: Dict[str, Any] = field(default_factory=dict)  # of the stale root: inventories, traits, aggregates
    without_allocation: List[str] = field(default_factory=list)  # who was seen so during a recovery

    @classmethod
    def of(cls, cloud: Cloud) -> World:
        """A host without any consumer, with settings of its operator's."""
        aggregate = cloud.provider(f"share-{new_name()}", inventories={"DISK_GB": 1000}, traits=())
        stale = cloud.stale_host(servers=0, inventories=LICENCES, traits=["COMPUTE_NODE", OWN_TRAIT],
                                 aggregates=[aggregate])
        world = cls(cloud, stale, cloud.healthy_host())
        world.look_at_settings()
        return world

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
        if method == "transplant":
            world.add_vgpu_server()
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

    def add_vgpu_server(self) -> str:
        """A server that runs here, and also holds a child of the host's root."""
        if not self.child:
            offered = {"VGPU": 50}
            name = f"{self.stale.node}_pci_0000_84_00_0"
            self.child = self.cloud.provider(name, parent=self.stale.stale_uuid, inventories=offered, traits=())
        server = self.cloud.server(host=self.stale.host, node=self.stale.node)
        self.kept[server] = ONE_SERVER
        self.elsewhere[server] = {self.child: {"VGPU": 1}}
        self.here.add(server)
        return self._allocated(server)

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

    def add_stranger(self) -> str:
        """A consumer of another service's, of whom Nova knows nothing."""
        stranger = new_uuid()
        self.kept[stranger] = ONE_SERVER
        return self._allocated(stranger, consumer_type="CONTAINER")

    def tighten(self) -> None:
        """The host has less than is allocated on it: a new root does not take that as it is."""
        uuid = self.stale.stale_uuid
        small = {"total": 1, "max_unit": 1, "allocation_ratio": 1.0}
        self.cloud.set_inventories(uuid, {**self.cloud.inventories(uuid), "VCPU": small})
        self.reported = {**NOVA_INVENTORIES, "VCPU": small}
        self.tight = True
        self.look_at_settings()

    def look_at_settings(self) -> None:
        """Keep in mind what a transplant carries over, and a rollback gives back."""
        uuid, cloud = self.stale.stale_uuid, self.cloud
        self.settings = {
            "inventories": cloud.inventories(uuid), "traits": cloud.traits(uuid), "aggregates": cloud.aggregates(uuid)
        }

    # what others do, as Nova does it

    def do(self, change: str, pick: int) -> None:
        """One of the changes below, to one of those that it can happen to, if there are any."""
        # Placement lets nobody write to a host that has less than is allocated on it.
        holders = set() if self.tight else {*self.kept, *self.leftovers}
        able = {
            "delete_server": self.here | self.away,
            "move_server": self.here,
            "confirm_resize": {*self.kept, *self.leftovers} & set(self.resizes),
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
