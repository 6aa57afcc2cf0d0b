"""The test cloud: a real Keystone, Placement and nova-api, put into any state in milliseconds.

One `Cloud` serves a whole test session. Each story makes hosts of its own, so that no test depends on another one.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple, Type

from testkit.api import Api, login
from testkit.nova_compute import NovaCompute
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER, Inventories, PlacementRows, Resources
from testkit.request_log import RequestLog, Write
from testkit.rows import NovaRows, RowsProcess

UNREACHABLE = "http://127.0.0.1:9/v3"  # the discard port, where nothing listens


class Host(NamedTuple):
    """A compute host whose provider has the UUID of its compute node."""

    host: str
    node: str
    uuid: str
    servers: Tuple[str, ...]


class StaleHost(NamedTuple):
    """A compute host whose compute node has a new UUID, while the provider of the old one bears the name."""

    host: str
    node: str
    compute_uuid: str
    stale_uuid: str
    servers: Tuple[str, ...]


class Cloud(NovaRows, PlacementRows):
    """`with Cloud() as cloud:` starts everything and clears it away.

    `nova` and `placement` are the APIs as the tests ask them; `lab` is the lab below, without any nova-compute.
    """

    def __init__(self, release: str = "34") -> None:
        from lab.openstack.cloud import (
            Lab,  # not at the top: it asks for a newer Python than the pack's tests without a lab
        )

        self.lab = Lab(release=release, computes=())
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Cloud:
        try:
            self._open.enter_context(self.lab)
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._open.close()

    def _start(self) -> None:
        self.folder = self.lab.folder / "tests"
        self.folder.mkdir()
        _let_old_computes_be(self.lab.folder / "etc" / "nova.conf")
        session = login(self._clouds()["lab"]["auth"])
        self.nova = Api(session, "compute", self.lab.nova_url, "2.69")
        self.placement = Api(session, "placement", self.lab.placement_url, "1.36")
        self._logs = RequestLog(self.lab.log("placement")), RequestLog(self.lab.log("nova-api"))
        PlacementRows.__init__(self, self.placement)
        NovaRows.__init__(self, self._open.enter_context(contextlib.closing(self._rows())), self._restart_nova_api)

    def _rows(self) -> RowsProcess:
        from lab.openstack.processes import MARK

        environment = {**self.lab.launcher.environment(), MARK: str(self.lab.folder)}
        config = self.lab.folder / "etc" / "nova.conf"
        return RowsProcess(self.lab.nova_python, config, self.lab.log("nova-rows"), environment)

    def _restart_nova_api(self) -> None:
        self.lab.restart("nova-api")

    def _clouds(self) -> Dict[str, Any]:
        clouds: Dict[str, Any] = json.loads(Path(self.lab.clouds_yaml).read_text())["clouds"]
        return clouds

    # stories

    def healthy_host(
        self, servers: int = 0, *, host: str = "", node: str = "", inventories: Inventories = NOVA_INVENTORIES,
        traits: Iterable[str] = ("COMPUTE_NODE",), resources: Resources = ONE_SERVER, **compute: Any,
    ) -> Host:
        """A host as it should be, with servers that hold `resources` each; further options are those of `compute`."""
        host = host or new_name()
        uuid = self.compute(host, node or host, **compute)
        self.provider(node or host, uuid, inventories=inventories, traits=traits)
        return Host(host, node or host, uuid, self.placed_servers(servers, host, node or host, uuid, resources))

    def stale_host(
        self, servers: int = 3, *, host: str = "", node: str = "", inventories: Inventories = NOVA_INVENTORIES,
        traits: Iterable[str] = ("COMPUTE_NODE",), aggregates: Iterable[str] = (),
        resources: Resources = ONE_SERVER, **compute: Any,
    ) -> StaleHost:
        """A host with the fault, and servers whose allocations of `resources` each are on the stale provider."""
        host = host or new_name()
        node = node or host
        uuid = self.compute(host, node, **{**_reported(inventories), **compute})
        stale = self.provider(node, inventories=inventories, traits=traits, aggregates=aggregates)
        return StaleHost(host, node, uuid, stale, self.placed_servers(servers, host, node, stale, resources))

    def placed_servers(
        self, count: int, host: str, node: str, provider: str, resources: Resources = ONE_SERVER
    ) -> Tuple[str, ...]:
        """Servers that run on the host and hold `resources` each on the provider."""
        amounts = {"vcpus": "VCPU", "memory_mb": "MEMORY_MB", "disk_gb": "DISK_GB"}
        flavor = {amount: resources.get(name, 0) for amount, name in amounts.items()}
        uuids = self.servers(count, host=host, node=node, **flavor)
        self.allocate_new(uuids, {provider: resources})
        return uuids

    def nova_compute(self, host: str, **behaviour: Any) -> NovaCompute:
        """The stand-in of the host's nova-compute towards Placement, a context manager; see NovaCompute."""
        restarts = self.folder / f"restarts-{secrets.token_hex(4)}"
        return NovaCompute(self, self, self._logs[0], host, restarts, **behaviour)

    # what others wrote

    def hosts(self) -> Set[str]:
        """The hosts of all nova-compute services."""
        return {found["host"] for found in self.nova.get("/os-services?binary=nova-compute")["services"]}

    def forget_hosts(self, but: Iterable[str] = ()) -> None:
        """Delete all hosts but these, with their nodes and services; what they left in Placement stays."""
        for host in self.hosts() - set(but):
            self.delete_compute(host)

    def placement_mark(self) -> int:
        """A place in Placement's request log."""
        return self._logs[0].mark()

    def placement_writes_since(self, mark: int) -> List[Write]:
        """What was written to Placement after the mark, but not by this class or the stand-in of nova-compute."""
        return self._logs[0].writes_since(mark)

    def nova_mark(self) -> int:
        """A place in nova-api's request log."""
        return self._logs[1].mark()

    def nova_writes_since(self, mark: int) -> List[Write]:
        """What was written through nova-api after the mark, but not by this class."""
        return self._logs[1].writes_since(mark)

    # what the pack is given

    def clouds_yaml(
        self, *, placement_url: str = "", compute_url: str = "", auth_url: str = "", password: str = "",
        user: str = "", **options: Any,
    ) -> str:
        """The path of a new clouds.yaml whose cloud `lab` is this one, but for what is given here.

        `auth_url=UNREACHABLE`: a Keystone that is away. `user="demo"` is no admin. `options` are any of clouds.yaml.
        """
        clouds = self._clouds()
        cloud = {**clouds["lab-demo" if user == "demo" else "lab"], **options}
        cloud.update(_given(placement_endpoint_override=placement_url, compute_endpoint_override=compute_url))
        cloud["auth"].update(_given(auth_url=auth_url, password=password))
        path = self.folder / f"clouds-{secrets.token_hex(4)}.yaml"
        path.write_text(json.dumps({"clouds": {"lab": cloud}}))
        path.chmod(0o600)
        return str(path)

    def config(self, **overrides: Any) -> Dict[str, Any]:
        """A configuration of the pack for this cloud: short waits, no restarts, records in a folder of its own."""
        usual = {
            "clouds_file": str(self.lab.clouds_yaml), "cloud": "lab", "request_timeout": 60, "restart_how": "never",
            "periodic_wait": 5, "provider_wait": 5, "store": "files",
            "store_folder": str(self.folder / f"records-{secrets.token_hex(4)}"),
        }
        return {**usual, **overrides}


def new_name() -> str:
    """A host name that no other test has."""
    return f"host-{secrets.token_hex(4)}"


def _reported(inventories: Inventories) -> Dict[str, int]:
    """What a compute node counts of a host that offers so much, but never less than usual."""
    usual = {"VCPU": ("vcpus", 16), "MEMORY_MB": ("memory_mb", 65536), "DISK_GB": ("disk_gb", 1028)}
    found: Dict[str, int] = {}
    for name, (column, least) in usual.items():
        offered = inventories.get(name, 0)
        total = offered.get("total", 0) if isinstance(offered, Mapping) else offered
        found[column] = max(int(total), least)
    return found


def _given(**values: str) -> Mapping[str, str]:
    return {name: value for name, value in values.items() if value}


def _let_old_computes_be(nova_conf: Path) -> None:
    """nova-api would not start again beside the old version that `nova_rows` gives to compute services."""
    with nova_conf.open("a") as config:
        config.write("\n[workarounds]\ndisable_compute_service_check_for_ffu = true\n")
