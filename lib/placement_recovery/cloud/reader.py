"""All reads of Nova and Placement about one host. Nothing here writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, TypeVar

from placement_recovery.cloud.model import (
    OPEN_MIGRATIONS,
    ComputeService,
    Consumer,
    Hypervisor,
    Migration,
    Part,
    Provider,
    Server,
)
from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.placement import Placement
from placement_recovery.cloud.snapshot import Owners, Snapshot
from placement_recovery.errors import ApiNotFound, ApiUnavailable, CellSilent
from placement_recovery.names import same_but_for_domain, same_name

Item = TypeVar("Item")
Read = TypeVar("Read")

# For a provider's UUID, its consumers as they were read before.
Known = Callable[[str], Mapping[str, Consumer]]


class Reader:
    """Takes snapshots. `concurrency` requests are under way at once, over the session's one pool."""

    def __init__(self, nova: Nova, placement: Placement, concurrency: int) -> None:
        self._nova = nova
        self._placement = placement
        self._concurrency = concurrency

    def snapshot(self, requested_name: str, holders: bool = True, known: Optional[Known] = None) -> Snapshot:
        """Read all about the host or node of this name; without `holders`, all but the consumers.

        Of those that `known` tells for the provider that bears the name, only the changed ones are read one by one.
        Raises ApiFailure where something cannot be read.
        """
        services = self._nova.services()
        unreachable = unreachable_hosts(services)
        if unreachable:
            # Nova leaves a cell that is down out of some lists and answers others with 500: no look would be whole.
            return Snapshot(requested_name, (), unreachable, service=None, matches=())
        # What a person decides by names all hosts that may hide the node; a proof needs only those that are called so.
        alike = () if holders else self._alike(requested_name, services)
        hypervisors = alike or self._nova.hypervisors()
        matches = _matches(requested_name, hypervisors)
        host = matches[0].host if len(matches) == 1 else requested_name
        base = Snapshot(
            requested_name=requested_name,
            hypervisors=hypervisors,
            unreachable_hosts=(),
            service=next((one for one in services if one.host == host), None),
            matches=matches,
            hidden_hosts=() if alike else hidden_hosts(services, hypervisors),
        )
        done = self.complete(base, holders, known)
        # A cell that went down meanwhile was left out of what was read since.
        return replace(done, unreachable_hosts=unreachable_hosts(self._nova.services()))

    def _alike(self, requested_name: str, services: Sequence[ComputeService]) -> Tuple[Hypervisor, ...]:
        """The compute nodes that are called so or alike, where no hidden host is.

        None where their names alone do not settle which node is meant.
        """
        found = self._nova.hypervisors_like(requested_name)
        matches = _matches(requested_name, found)
        if requested_name in {one.host for one in services} - {one.host for one in matches}:
            return ()  # the node of this host is called otherwise
        hidden = hidden_hosts(services, found)
        hiding = any(same_but_for_domain(host, one.node) for host in hidden for one in matches)
        return found if matches and not hiding else ()

    def complete(self, base: Snapshot, holders: bool, known: Optional[Known] = None) -> Snapshot:
        """A snapshot that knows of Nova's lists alone, with what Placement has of its host."""
        node = base.hypervisor.node if base.hypervisor else base.requested_name
        named = self.find_provider_by_name(node)
        own = self.provider(base.hypervisor.uuid) if base.hypervisor else None
        if named is None or (own and own.uuid == named.uuid):
            return replace(base, provider_by_name=named, provider_by_uuid=own)
        tree = self.tree(named.uuid)
        found = next((one for one in tree if one.uuid == named.uuid), None)
        if found is None:  # deleted between the two looks
            return replace(base, provider_by_uuid=own)
        with_tree = replace(
            base,
            provider_by_name=found,
            provider_by_uuid=own,
            owner_of_provider=self._nova.find_hypervisor(named.uuid),
            tree=tree,
        )
        return self._with_consumers(with_tree, known) if holders else with_tree

    def complete_set_aside(self, base: Snapshot, root: Provider) -> Snapshot:
        """The snapshot with a root that a transplant set aside, its consumers, and who has its UUID in Nova."""
        tree = self.tree(root.uuid)
        found = next((one for one in tree if one.uuid == root.uuid), None)
        if found is None:  # deleted between the two looks
            return base
        owner = self._nova.find_hypervisor(root.uuid)
        return self._with_consumers(replace(base, set_aside=found, tree=tree, owner_of_provider=owner))

    def _with_consumers(self, base: Snapshot, known: Optional[Known] = None) -> Snapshot:
        if base.hypervisor is None:
            return base
        consumers = self.consumers([one.uuid for one in base.tree], known(base.tree[0].uuid) if known else None)
        owners = self.owners(base.hypervisor.host, [one.uuid for one in consumers])
        return replace(base, consumers=consumers, owners=owners, host_aggregates=self._nova.host_aggregates())

    def with_homes(
        self, known: Tuple[Hypervisor, ...], consumers: Iterable[Consumer], owners: Owners
    ) -> Tuple[Hypervisor, ...]:
        """These compute nodes, with those where the consumers' servers live, and those that a resized one holds."""
        homes = {one.node for one in owners.servers.values() if one.node} - {one.node for one in known}
        found = {one.uuid: one for node in self.each(self._nova.hypervisors_like, sorted(homes)) for one in node}
        resized = {one.uuid for one in owners.servers.values() if one.status == "VERIFY_RESIZE"}
        ends = {uuid for one in consumers if one.uuid in resized for uuid in one.allocations}
        unknown = sorted(ends - {one.uuid for one in known} - set(found))
        found.update({one.uuid: one for one in self.each(self._nova.find_hypervisor, unknown) if one})
        return (*known, *(one for uuid, one in sorted(found.items()) if one not in known))

    def find_provider_by_name(self, name: str) -> Optional[Provider]:
        """The provider of this name, bare; None where the name is free."""
        found = self._placement.list_providers(name=name)
        return found[0] if found else None

    def provider(self, uuid: str) -> Optional[Provider]:
        """The provider of this UUID, bare; None where there is none (404)."""
        try:
            return self._placement.show_provider(uuid)
        except ApiNotFound:
            return None

    def bare_tree(self, uuid: str) -> Tuple[Provider, ...]:
        """All providers of the tree without what they carry, the root first; empty where there is none."""
        found = self._placement.list_providers(in_tree=uuid)
        return tuple(sorted(found, key=lambda one: (one.parent_uuid is not None, one.name)))

    def tree(self, uuid: str) -> Tuple[Provider, ...]:
        """All providers of the tree with what they carry, the root first."""
        return tuple(self.each(self._placement.describe, self.bare_tree(uuid)))

    def consumers(
        self, provider_uuids: Iterable[str], known: Optional[Mapping[str, Consumer]] = None
    ) -> Tuple[Consumer, ...]:
        """All consumers of these providers, with all that they hold anywhere, sorted by UUID.

        Each write of a consumer moves its generation: one that is `known` at the same one is not read again.
        """
        providers = tuple(provider_uuids)
        parts: Dict[str, Dict[str, Part]] = {}
        for provider in providers:
            for uuid, part in self._placement.parts_on(provider).items():
                parts.setdefault(uuid, {})[provider] = part
        before = known or {}
        same = {uuid: before[uuid] for uuid in parts if _is_same(before.get(uuid), parts[uuid], providers)}
        read = self.show_consumers(set(parts) - set(same))
        # Who gave its part back between the two looks is no consumer of them any more.
        return tuple(sorted((one for one in (*same.values(), *read) if one.on(providers)), key=lambda one: one.uuid))

    def show_consumers(self, uuids: Iterable[str]) -> Tuple[Consumer, ...]:
        """These consumers with all that they hold, sorted by UUID."""
        return tuple(self.each(self._placement.show_consumer, sorted(uuids)))

    def sure_owners(self, host: str, consumers: Iterable[str], movers: Iterable[str] = ()) -> Owners:
        """The same as `owners`, or CellSilent where Nova left something out: absence is evidence here."""
        self.check_cells(host)
        found = self.owners(host, consumers, movers)
        self.check_cells(host)
        if found.unseen:
            raise CellSilent(f"{found.unseen}. Nothing more is written; run the same again when that is mended")
        return found

    def check_cells(self, host: str) -> Tuple[ComputeService, ...]:
        """All services. Raises CellSilent where a cell is down, which hides more than its own hosts."""
        services = self._nova.services()
        down = unreachable_hosts(services)
        if down:
            raise CellSilent(
                f"a cell is down: nova cannot show host(s) {', '.join(down[:5])}, so nothing is proven about {host}. "
                f"Bring the cell's database back, then run the same again"
            )
        return services

    def owners(self, host: str, consumers: Iterable[str], movers: Iterable[str] = ()) -> Owners:
        """What Nova knows of these consumers: bulk lists by host first, one by one only what they do not show.

        `movers` are servers whose migrations may be among the consumers.
        """
        ids = set(consumers)
        migrations = self._nova.migrations_of(host)
        here = {one.uuid: one for one in self._nova.servers_on(host)}
        moved = {one.server_uuid for one in migrations if one.uuid in ids or one.is_open} | set(movers)
        missing = (ids | moved) - set(here) - {one.uuid for one in migrations}
        servers = {**here, **self._servers(missing)}
        deleted = self._evidence_of_deletion(host, ids - set(servers) - {one.uuid for one in migrations})
        unknown = ids - set(servers) - set(deleted) - {one.uuid for one in migrations}
        elsewhere = self._moves_elsewhere(unknown)
        moved |= {one.server_uuid for one in elsewhere}
        servers.update(self._servers(moved - set(servers)))
        unknown -= {one.uuid for one in elsewhere}
        return Owners(
            servers={uuid: servers[uuid] for uuid in sorted((ids | moved) & set(servers))},
            deleted=deleted,
            migrations=(*migrations, *elsewhere),
            unseen=self._unseen(host, here) if unknown else "",
        )

    def _servers(self, uuids: Iterable[str]) -> Dict[str, Server]:
        return {one.uuid: one for one in self.each(self._nova.find_server, sorted(uuids)) if one}

    def _moves_elsewhere(self, unknown: Iterable[str]) -> Tuple[Migration, ...]:
        """Moves between two other hosts that are under way and whose UUID is one of these consumers'."""
        wanted = set(unknown)
        if not wanted:
            return ()
        listed = self.each(self._nova.migrations_in, OPEN_MIGRATIONS)
        return tuple({one.uuid: one for found in listed for one in found if one.uuid in wanted}.values())

    def _unseen(self, host: str, here: Mapping[str, Server]) -> str:
        """Why a consumer that is neither a server nor a migration may be one all the same; "" where nothing says so."""
        for uuid in sorted(here)[:1]:
            try:
                self._nova.check_migrations(uuid)
            except ApiUnavailable as error:
                return f"nova cannot show the migrations of {host}'s cell, and leaves them out of its lists: {error}"
        return ""

    def _evidence_of_deletion(self, host: str, gone: Iterable[str]) -> Dict[str, str]:
        left = set(gone)
        if not left:
            return {}
        found = {one.uuid: one for one in self._nova.servers_on(host, deleted=True) if one.uuid in left}
        for server in self.each(self._nova.find_deleted_server, sorted(left - set(found))):
            if server:
                found[server.uuid] = server
        evidence = {
            uuid: f"server {server.name} is DELETED in nova" for uuid, server in found.items() if server.is_deleted
        }
        rest = sorted(left - set(evidence))
        for uuid, remembered in zip(rest, self.each(self._nova.has_instance_actions, rest)):
            if remembered:
                evidence[uuid] = "nova has no such server, but remembers its actions"
        return evidence

    def each(self, call: Callable[[Item], Read], items: Sequence[Item]) -> List[Read]:
        """`call` of each item, a bounded number at once, in the items' order. The first error is raised."""
        if len(items) < 2:
            return [call(item) for item in items]
        with ThreadPoolExecutor(max_workers=min(self._concurrency, len(items))) as pool:
            return list(pool.map(call, items))


def _is_same(known: Optional[Consumer], parts: Mapping[str, Part], providers: Tuple[str, ...]) -> bool:
    if known is None or {one.generation for one in parts.values()} != {known.generation}:
        return False
    return known.on(providers) == {uuid: dict(one.resources) for uuid, one in parts.items()}


def _matches(name: str, hypervisors: Sequence[Hypervisor]) -> Tuple[Hypervisor, ...]:
    """The compute nodes that are called so: exactly, else in another case or but for a trailing dot, else but for the
    domain.
    """
    ways: Tuple[Callable[[str, str], bool], ...] = (str.__eq__, same_name, same_but_for_domain)
    for way in ways:
        found = tuple(one for one in hypervisors if way(one.host, name) or way(one.node, name))
        if found:
            return found
    return ()


def unreachable_hosts(services: Iterable[ComputeService]) -> Tuple[str, ...]:
    """The hosts of cells that are down."""
    return tuple(one.host for one in services if one.status == "UNKNOWN")


def hidden_hosts(services: Iterable[ComputeService], hypervisors: Iterable[Hypervisor]) -> Tuple[str, ...]:
    """The hosts whose nova-compute is up, but of which nova lists no compute node."""
    shown = {one.host for one in hypervisors}
    return tuple(one.host for one in services if one.state == "up" and one.host not in shown)
