"""All that is known of Nova and Placement about one host, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple

from placement_recovery.cloud.model import (
    ComputeService,
    Consumer,
    HostAggregate,
    Hypervisor,
    Migration,
    Provider,
    Server,
)
from placement_recovery.names import same_but_for_domain, same_name


@dataclass(frozen=True)
class Owners:
    """What Nova knows of the consumers: who owns them, and what became of those that are gone.

    `deleted` maps a consumer to the evidence that it was a server which is deleted now. `migrations` are those from or
    to the host, and those between others whose UUID is a consumer's. `unseen` says what Nova could not show, so that
    what is missing here is not absent.
    """

    servers: Mapping[str, Server] = field(default_factory=dict)
    deleted: Mapping[str, str] = field(default_factory=dict)
    migrations: Tuple[Migration, ...] = ()
    unseen: str = ""

    def migration(self, uuid: str) -> Optional[Migration]:
        """The move whose source part this consumer is."""
        return next((one for one in self.migrations if one.uuid == uuid), None)

    def open_moves(self, server_uuid: str) -> Tuple[Migration, ...]:
        """The moves of this server, from or to the host, that are under way."""
        return tuple(one for one in self.migrations if one.server_uuid == server_uuid and one.is_open)


@dataclass(frozen=True)
class Snapshot:
    """One look at a host. What is absent is None or empty; what could not be read raised before this existed.

    `hypervisors` are all, or in a look without holders at least those that are called as the node is.
    """

    requested_name: str
    hypervisors: Tuple[Hypervisor, ...]
    unreachable_hosts: Tuple[str, ...]
    service: Optional[ComputeService]
    matches: Tuple[Hypervisor, ...]
    # The provider that bears the node's name, and the provider that has the compute node's UUID.
    provider_by_name: Optional[Provider] = None
    provider_by_uuid: Optional[Provider] = None
    # The compute node whose UUID the named provider has, as Nova answers for that UUID.
    owner_of_provider: Optional[Hypervisor] = None
    tree: Tuple[Provider, ...] = ()
    consumers: Tuple[Consumer, ...] = ()
    owners: Owners = field(default_factory=Owners)
    # Hosts whose nova-compute is up, but of which nova lists no compute node: it shows none before discover_hosts ran.
    # A look without holders tells only of those that are called as the node is.
    hidden_hosts: Tuple[str, ...] = ()
    host_aggregates: Tuple[HostAggregate, ...] = ()
    # A stale root that a transplant renamed, of whose recovery this store has no record; `tree` and consumers are its.
    set_aside: Optional[Provider] = None

    @property
    def hypervisor(self) -> Optional[Hypervisor]:
        """The compute node that was asked for, where that is clear."""
        return self.matches[0] if len(self.matches) == 1 else None

    @property
    def is_called_so(self) -> bool:
        """Whether the host or its node bears the name that was asked for, but for its case and a trailing dot."""
        node, name = self.hypervisor, self.requested_name
        return node is not None and (same_name(node.host, name) or same_name(node.node, name))

    @property
    def stale(self) -> Optional[Provider]:
        """The provider that is stale if the proof holds: the one that was set aside, else that of the node's name."""
        return self.set_aside or self.provider_by_name

    @property
    def namesakes(self) -> Tuple[Hypervisor, ...]:
        """All compute nodes of the same node name; Placement on MySQL compares names without case."""
        if not self.hypervisor:
            return ()
        return tuple(one for one in self.hypervisors if one.node.casefold() == self.hypervisor.node.casefold())

    @property
    def hidden_namesakes(self) -> Tuple[str, ...]:
        """Hidden hosts that are called as the node is, domain aside: their compute node may well bear its name."""
        if not self.hypervisor:
            return ()
        node = self.hypervisor.node
        return tuple(host for host in self.hidden_hosts if same_but_for_domain(host, node))
