"""Nova's API, as far as a recovery needs it: all projects, all cells, at the configured microversion (>= 2.69).

2.53 made the ids of services and hypervisors UUIDs, 2.59 gave migrations theirs, 2.69 shows what a cell that is down
hides.
"""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Tuple

from placement_recovery.cloud.model import ComputeService, HostAggregate, Hypervisor, Migration, Server
from placement_recovery.cloud.session import Api
from placement_recovery.config import Config, microversion
from placement_recovery.errors import ApiDenied, ApiNotFound, ConfigurationError

# What a compute node counts, by the resource class that nova-compute offers of it.
REPORTED = {"VCPU": "vcpus", "MEMORY_MB": "memory_mb", "DISK_GB": "local_gb"}

# Nova's default max_limit: a larger page is cut to it.
PAGE = 1000


class Nova:
    """A client over one endpoint."""

    def __init__(self, api: Api, config: Config, page: int = PAGE) -> None:
        self._api = api
        self._page = page
        self._version = config.compute_microversion
        self.offered = offered = api.greatest_microversion()
        if offered < microversion(self._version):
            raise ConfigurationError(
                f"nova offers microversion {offered[0]}.{offered[1]} at the most, compute_microversion asks for "
                f"{self._version}; set it to what nova offers (2.69 is the least)"
            )

    def services(self) -> Tuple[ComputeService, ...]:
        """All nova-compute services; those in a cell that is down have status UNKNOWN."""
        found = self._get("/os-services", {"binary": "nova-compute"})["services"]
        return tuple(sorted((_service(item) for item in found), key=lambda service: service.host))

    def set_service(self, uuid: str, status: str, reason: str = "") -> None:
        """Enable, or disable with a reason, one service."""
        body = {"status": status}
        if status == "disabled" and reason:
            body["disabled_reason"] = reason
        self._api.write("PUT", f"/os-services/{uuid}", self._version, body)

    def hypervisors(self) -> Tuple[Hypervisor, ...]:
        """All compute nodes of all cells that answer."""
        found = self._pages("/os-hypervisors/detail", "hypervisors", {})
        return _sorted_hypervisors(found)

    def hypervisors_like(self, name: str) -> Tuple[Hypervisor, ...]:
        """The compute nodes with this in their name, in whatever case, without a list of the whole cloud (>= 2.53).

        Nova matches by LIKE and does not page; 404 says that there is none.
        """
        try:
            found = self._get("/os-hypervisors/detail", {"hypervisor_hostname_pattern": name})["hypervisors"]
        except ApiNotFound:
            return ()
        return _sorted_hypervisors(found)

    def host_aggregates(self) -> Tuple[HostAggregate, ...]:
        """All host aggregates (>= 2.41 for their UUIDs)."""
        found = self._get("/os-aggregates")["aggregates"]
        return tuple(HostAggregate(item["uuid"], item["name"], tuple(item["hosts"])) for item in found)

    def find_hypervisor(self, uuid: str) -> Optional[Hypervisor]:
        """The compute node with this UUID; None where Nova knows none (404), which is a fact and no failure."""
        try:
            return _hypervisor(self._get(f"/os-hypervisors/{uuid}")["hypervisor"])
        except ApiNotFound:
            return None

    def servers_on(self, host: str, deleted: bool = False) -> Tuple[Server, ...]:
        """The servers of all projects on a host; with `deleted` those deleted there, as far as not purged.

        Raises ApiDenied where nova ignored the filter, as it does for who may not use all filters.
        """
        filters = {"all_tenants": "1", "host": host}
        if deleted:
            filters["deleted"] = "true"
        found = tuple(_server(item) for item in self._servers(filters))
        if any(one.host and one.host != host for one in found):
            raise ApiDenied(
                f"nova ignored the filter for host {host}: the user of clouds.yaml may not use all filters "
                f"(os_compute_api:servers:allow_all_filters); it needs the admin role"
            )
        return found

    def all_servers(self) -> Tuple[Server, ...]:
        """The servers of all projects on all hosts, but deleted and SOFT_DELETED ones."""
        return tuple(_server(item) for item in self._servers({"all_tenants": "1"}))

    def find_server(self, uuid: str) -> Optional[Server]:
        """One server, SOFT_DELETED ones included; None where Nova knows none (404)."""
        try:
            return _server(self._get(f"/servers/{uuid}")["server"])
        except ApiNotFound:
            return None

    def find_deleted_server(self, uuid: str) -> Optional[Server]:
        """One server that was deleted and not purged yet; None where there is none."""
        filters = {"all_tenants": "1", "deleted": "true", "uuid": uuid}
        found = [item for item in self._servers(filters) if item["id"] == uuid]
        return _server(found[0]) if found else None

    def has_instance_actions(self, uuid: str) -> bool:
        """Whether Nova remembers actions of a server, also of a deleted one (>= 2.21)."""
        try:
            return bool(self._get(f"/servers/{uuid}/os-instance-actions")["instanceActions"])
        except ApiNotFound:
            return False

    def migrations_of(self, host: str) -> Tuple[Migration, ...]:
        """All moves from or to a host, whatever their state (>= 2.59 for uuid and paging)."""
        found = self._pages("/os-migrations", "migrations", {"host": host}, marker="uuid")
        return tuple(_migration(item) for item in found)

    def all_migrations(self) -> Tuple[Migration, ...]:
        """All moves, whatever their hosts and state."""
        return tuple(_migration(item) for item in self._pages("/os-migrations", "migrations", {}, marker="uuid"))

    def migrations_in(self, status: str) -> Tuple[Migration, ...]:
        """All moves in one state, whatever their hosts."""
        found = self._pages("/os-migrations", "migrations", {"status": status}, marker="uuid")
        return tuple(_migration(item) for item in found)

    def check_migrations(self, server_uuid: str) -> None:
        """Raise ApiUnavailable where the migrations of this server's cell cannot be read.

        A list over all cells silently omits such a cell; the list of one server asks only that server's cell (>= 2.23).
        """
        with contextlib.suppress(ApiNotFound):
            self._get(f"/servers/{server_uuid}/migrations")

    def migrations_of_server(self, server_uuid: str) -> Tuple[Migration, ...]:
        """All moves of one server, whatever their hosts."""
        found = self._pages("/os-migrations", "migrations", {"instance_uuid": server_uuid}, marker="uuid")
        return tuple(_migration(item) for item in found)

    def _get(self, path: str, params: Optional[Mapping[str, str]] = None) -> Dict[str, Any]:
        return self._api.get(path, self._version, params)

    def _servers(self, filters: Mapping[str, str]) -> Iterator[Dict[str, Any]]:
        """Page as long as Nova says that there is more: of servers it hides none after it cut the page."""
        params = {**filters, "limit": str(self._page)}
        while True:
            answer = self._get("/servers/detail", params)
            yield from answer["servers"]
            if not answer["servers"] or not answer.get("servers_links"):
                return
            params["marker"] = answer["servers"][-1]["id"]

    def _pages(
        self, path: str, key: str, filters: Mapping[str, str], marker: str = "id"
    ) -> Iterator[Dict[str, Any]]:
        """Page until an empty page: Nova's link to more is not to be relied on here.

        nova-api hides migrations marked so, and nodes without a service, after it cut the page. Nova marks none itself
        any more, so that a page of nothing else is not to be expected.
        """
        params = {**filters, "limit": str(self._page)}
        while True:
            page = self._get(path, params)[key]
            if not page:
                return
            yield from page
            if params.get("marker") == page[-1][marker]:
                return
            params["marker"] = page[-1][marker]


def _service(item: Mapping[str, Any]) -> ComputeService:
    return ComputeService(
        uuid=str(item.get("id", "")),
        host=item["host"],
        status=item["status"],
        state=item.get("state", "unknown"),
        disabled_reason=item.get("disabled_reason") or "",
        forced_down=bool(item.get("forced_down", False)),
    )


def _sorted_hypervisors(items: Iterable[Mapping[str, Any]]) -> Tuple[Hypervisor, ...]:
    return tuple(sorted((_hypervisor(item) for item in items), key=lambda one: (one.node, one.host)))


def _hypervisor(item: Mapping[str, Any]) -> Hypervisor:
    return Hypervisor(
        uuid=str(item["id"]),
        node=item["hypervisor_hostname"],
        host=item["service"]["host"],
        type=item.get("hypervisor_type") or "",
        state=item["state"],
        status=item["status"],
        reported={name: item[field] for name, field in REPORTED.items() if item.get(field)},
    )


def _server(item: Mapping[str, Any]) -> Server:
    if "OS-EXT-SRV-ATTR:host" not in item and item["status"] != "UNKNOWN":  # which a cell that is down leaves out
        raise ApiDenied(
            f"nova hides on which host server {item['id']} is: the user of clouds.yaml may not see it "
            f"(os_compute_api:os-extended-server-attributes); it needs the admin role"
        )
    return Server(
        uuid=item["id"],
        name=item.get("name") or "",
        status=item["status"],
        vm_state=item.get("OS-EXT-STS:vm_state") or "",
        task_state=item.get("OS-EXT-STS:task_state") or "",
        host=item.get("OS-EXT-SRV-ATTR:host") or "",
        node=item.get("OS-EXT-SRV-ATTR:hypervisor_hostname") or "",
        project_id=item.get("tenant_id") or "",
    )


def _migration(item: Mapping[str, Any]) -> Migration:
    if not item.get("source_compute"):
        raise ApiDenied(
            f"nova hides the hosts of migration {item['uuid']}: the user of clouds.yaml may not see them "
            f"(os_compute_api:os-migrations:index:host, since 2025.2); it needs the admin role"
        )
    return Migration(
        uuid=item["uuid"],
        server_uuid=item["instance_uuid"],
        status=item["status"],
        type=item.get("migration_type") or "",
        source_host=item.get("source_compute") or "",
        source_node=item.get("source_node") or "",
        dest_host=item.get("dest_compute") or "",
        dest_node=item.get("dest_node") or "",
    )
