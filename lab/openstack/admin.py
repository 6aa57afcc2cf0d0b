"""What tests and demos ask of a lab's cloud: servers, moves, services, providers and allocations, as its admin."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from lab.openstack.identity import log_in
from lab.openstack.services.glance_and_neutron import IMAGE
from lab.openstack.settings import PCI_ALIAS
from lab.openstack.web import Response, exchange
from lab.waiting import LabError, wait_until

COMPUTE, PLACEMENT = "2.88", "1.36"  # microversions unless a call names another
WAIT_SECONDS = 120.0
Json = dict[str, Any]
# What servers of these flavors have beside VCPUs, memory and disk.
EXTRA_SPECS = {"vgpu": {"resources:VGPU": "1"}, "pci": {"pci_passthrough:alias": f"{PCI_ALIAS}:1"}}


class AdminClient:
    """The admin of a lab's cloud. Every call that the cloud refuses is a LabError with what was answered."""

    def __init__(self, keystone: str, nova: str, placement: str) -> None:
        self._keystone, self._urls = keystone, {"compute": nova, "placement": placement}
        self._token = ""

    def send(self, service: str, method: str, path: str, body: Any = None, version: str = "") -> Response:
        """One request to ``compute`` or ``placement``, whatever is answered."""
        version = version or (COMPUTE if service == "compute" else PLACEMENT)
        headers = {"OpenStack-API-Version": f"{service} {version}", "Accept": "application/json"}
        for attempt in range(2):
            self._token = self._token or log_in(self._keystone)
            url = self._urls[service] + path
            response = exchange(method, url, body, {**headers, "X-Auth-Token": self._token})
            if response.status != 401 or attempt:
                break
            self._token = ""  # it may have expired
        return response

    def nova(self, method: str, path: str, body: Any = None, version: str = "") -> Any:
        """The body that Nova answers."""
        return self._accepted("compute", method, path, body, version)

    def placement(self, method: str, path: str, body: Any = None, version: str = "") -> Any:
        """The body that Placement answers."""
        return self._accepted("placement", method, path, body, version)

    def _accepted(self, service: str, method: str, path: str, body: Any, version: str) -> Any:
        response = self.send(service, method, path, body, version)
        if response.status >= 400:
            raise LabError(f"{service} answered {response.status} to {method} {path}: {response.body}")
        return response.body

    # Servers

    def boot(self, name: str, host: str | None = None, flavor: str = "small", wait: bool = True) -> str:
        """A new server's UUID, once it is ACTIVE; pinned to ``host``, or put where the scheduler likes."""
        server = {"name": name, "imageRef": IMAGE, "flavorRef": self.flavor(flavor), "networks": "none"}
        pin = {"host": host} if host else {}
        uuid: str = self.nova("POST", "/servers", {"server": {**server, **pin}})["server"]["id"]
        if wait:
            self.wait_for_status(uuid, "ACTIVE")
        return uuid

    def boot_many(self, names: Iterable[str], host: str | None = None, flavor: str = "small") -> dict[str, str]:
        """Boots all at once; name to UUID when the last of them is ACTIVE."""
        servers = {name: self.boot(name, host, flavor, wait=False) for name in names}
        for uuid in servers.values():
            self.wait_for_status(uuid, "ACTIVE")
        return servers

    def server(self, uuid: str) -> Json:
        """A server as Nova shows it."""
        shown: Json = self.nova("GET", f"/servers/{uuid}")["server"]
        return shown

    def servers(self, host: str | None = None) -> list[Json]:
        """The servers of all projects, or those on one host."""
        query = f"&host={host}" if host else ""
        listed: list[Json] = self.nova("GET", f"/servers/detail?all_tenants=1{query}")["servers"]
        return listed

    def wait_for_status(self, uuid: str, status: str, timeout: float = WAIT_SECONDS) -> Json:
        """The server once it has the status and no task; LabError at once if it turns to ERROR instead."""

        def settled() -> Json | None:
            server = self.server(uuid)
            if server["status"] == "ERROR" != status:
                raise LabError(f"server {uuid} is in ERROR, not {status}: {server.get('fault')}")
            return server if server["status"] == status and not server["OS-EXT-STS:task_state"] else None

        return wait_until(f"server {uuid} is {status}", settled, timeout)

    def delete(self, *uuids: str) -> None:
        """Deletes servers and waits until Nova has forgotten them."""
        for uuid in uuids:
            self.nova("DELETE", f"/servers/{uuid}")
        for uuid in uuids:
            wait_until(f"server {uuid} is deleted", partial(self._is_gone, uuid), WAIT_SECONDS)

    def act(self, uuid: str, action: str, values: Any = None, version: str = "") -> Any:
        """A server action by its name in the API, e.g. ``act(uuid, "os-stop")``."""
        return self.nova("POST", f"/servers/{uuid}/action", {action: values}, version)

    def resize(self, uuid: str, flavor: str = "large") -> Json:
        """Resizes, and waits for VERIFY_RESIZE."""
        self.act(uuid, "resize", {"flavorRef": self.flavor(flavor)})
        return self.wait_for_status(uuid, "VERIFY_RESIZE")

    def migrate(self, uuid: str, host: str | None = None) -> Json:
        """Migrates cold, and waits for VERIFY_RESIZE."""
        self.act(uuid, "migrate", {"host": host} if host else None)
        return self.wait_for_status(uuid, "VERIFY_RESIZE")

    def live_migrate(self, uuid: str, host: str) -> Json:
        """Migrates live, and waits until the server is ACTIVE on ``host``."""
        self.act(uuid, "os-migrateLive", {"host": host, "block_migration": "auto"})
        return self._wait_for_host(uuid, host)

    def confirm(self, uuid: str) -> Json:
        """Confirms a resize or a cold migration, and waits for ACTIVE."""
        self.act(uuid, "confirmResize")
        return self.wait_for_status(uuid, "ACTIVE")

    def revert(self, uuid: str) -> Json:
        """Reverts a resize or a cold migration, and waits for ACTIVE."""
        self.act(uuid, "revertResize")
        return self.wait_for_status(uuid, "ACTIVE")

    def evacuate(self, uuid: str, host: str) -> Json:
        """Rebuilds a server of a host that is down (see ``force_down``) on ``host``, and waits for it there."""
        self.act(uuid, "evacuate", {"host": host})
        return self._wait_for_host(uuid, host)

    def reset_state(self, uuid: str, state: str = "error") -> None:
        """Sets a server's state by hand."""
        self.act(uuid, "os-resetState", {"state": state})

    def _is_gone(self, uuid: str) -> bool:
        return self.send("compute", "GET", f"/servers/{uuid}").status == 404

    def _wait_for_host(self, uuid: str, host: str) -> Json:
        def there() -> bool:
            server = self.server(uuid)
            return server["OS-EXT-SRV-ATTR:host"] == host and not server["OS-EXT-STS:task_state"]

        wait_until(f"server {uuid} is on {host}", there, WAIT_SECONDS)
        return self.server(uuid)

    def flavor(self, name: str) -> str:
        """The id of one of the lab's flavors, made at its first use: small, large (2 VCPUs), vgpu or pci (has one)."""
        size = {"small": 1, "large": 2, "vgpu": 1, "pci": 1}[name]
        values = {"name": name, "id": name, "vcpus": size, "ram": 512 * size, "disk": size}
        response = self.send("compute", "POST", "/flavors", {"flavor": values})
        if response.status not in (200, 409):  # 409: it is there
            raise LabError(f"Nova answered {response.status} to the flavor {name}: {response.body}")
        if response.status == 200 and name in EXTRA_SPECS:
            self.nova("POST", f"/flavors/{name}/os-extra_specs", {"extra_specs": EXTRA_SPECS[name]})
        return name

    # Hosts

    def hypervisors(self) -> list[Json]:
        """All hypervisors: id (the compute node's UUID), hypervisor_hostname, state, status, service."""
        # From 2.88 on Nova asks each host for its uptime first.
        listed: list[Json] = self.nova("GET", "/os-hypervisors/detail", version="2.87")["hypervisors"]
        return listed

    def has_hypervisor(self, host: str) -> bool:
        """Whether Nova lists a node of the host."""
        return any(hypervisor["service"]["host"] == host for hypervisor in self.hypervisors())

    def service(self, host: str) -> Json:
        """The host's nova-compute service; LabError if there is none."""
        listed = self.nova("GET", f"/os-services?binary=nova-compute&host={host}")["services"]
        if not listed:
            raise LabError(f"Nova has no compute service on {host}")
        service: Json = listed[0]
        return service

    def set_service(self, host: str, **values: Any) -> Json:
        """Changes ``status``, ``disabled_reason`` or ``forced_down`` of a host's service."""
        changed: Json = self.nova("PUT", f"/os-services/{self.service(host)['id']}", values)["service"]
        return changed

    def force_down(self, host: str, down: bool = True) -> None:
        """Tells Nova that a host is fenced, or back."""
        self.set_service(host, forced_down=down)

    def delete_service(self, host: str) -> None:
        """Deletes a host's service, and with it its node, its mapping and, if it can be, its provider."""
        self.nova("DELETE", f"/os-services/{self.service(host)['id']}")

    # Placement

    def providers(self) -> dict[str, str]:
        """The UUIDs of all resource providers by their names."""
        listed = self.placement("GET", "/resource_providers")["resource_providers"]
        return {provider["name"]: provider["uuid"] for provider in listed}

    def provider(self, name: str) -> Json:
        """A provider by its name; LabError if there is none."""
        listed = self.placement("GET", f"/resource_providers?name={name}")["resource_providers"]
        if not listed:
            raise LabError(f"Placement has no resource provider named {name}")
        provider: Json = listed[0]
        return provider

    def inventories(self, uuid: str) -> dict[str, Json]:
        """A provider's inventories by resource class; empty before nova-compute has set them."""
        held: dict[str, Json] = self.placement("GET", f"/resource_providers/{uuid}/inventories")["inventories"]
        return held

    def allocations_of_provider(self, uuid: str) -> dict[str, Json]:
        """What consumers hold of a provider: ``{consumer: {"VCPU": 1, ...}}``."""
        held = self.placement("GET", f"/resource_providers/{uuid}/allocations")["allocations"]
        return {consumer: allocation["resources"] for consumer, allocation in held.items()}

    def allocations(self, consumer: str) -> dict[str, Json]:
        """What a consumer holds: ``{provider: {"VCPU": 1, ...}}``."""
        held = self.placement("GET", f"/allocations/{consumer}")["allocations"]
        return {provider: allocation["resources"] for provider, allocation in held.items()}

    def allocate(self, consumer: str, provider: str, resources: Json, project: str = "leftover") -> None:
        """Gives a new consumer an allocation that Nova knows nothing of."""
        body = {
            "allocations": {provider: {"resources": resources}},
            "project_id": project,
            "user_id": project,
        }
        self.placement("PUT", f"/allocations/{consumer}", {**body, "consumer_generation": None})
