"""A lab's hosts: one nova-compute each, whose periodics can be held and awaited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lab.openstack import settings
from lab.openstack.control import Control, Periodic, Resources
from lab.openstack.holds import LIMIT_SECONDS, Hold, wait_for_periodics
from lab.waiting import LabError, LogMark, wait_until

if TYPE_CHECKING:
    from lab.openstack.admin import AdminClient
    from lab.openstack.launch import Launcher
    from lab.openstack.processes import Process

START_SECONDS = 120.0  # for one service, on a busy machine


class Computes:
    """What a `Lab` does with its hosts."""

    folder: Path
    release: str
    ports: settings.Ports
    client: AdminClient
    _compute_options: settings.Sections

    @property
    def launcher(self) -> Launcher:
        """What starts the processes."""
        raise NotImplementedError

    @property
    def nova_etc(self) -> Path:
        """Nova's own configuration files in its environment."""
        raise NotImplementedError

    def log(self, name: str) -> Path:
        """The log of a service, or of a host's nova-compute."""
        raise NotImplementedError

    def process(self, name: str) -> Process:
        """The process of a service, or of a host's nova-compute."""
        raise NotImplementedError

    def wait_for_service(self, name: str, bus: LogMark) -> None:
        """A service answers, or has subscribed since ``bus``."""
        raise NotImplementedError

    def start_compute(self, host: str, node_name: str | None = None) -> None:
        """Starts a host's nova-compute and waits until it answers on the bus; its first audit is done then.

        A new host is made first. ``node_name`` is what its node is called from now on; "" is its host's name.
        """
        bus = LogMark(self.log("broker"))
        self.launch_compute(host, node_name)
        self.wait_for_service(host, bus)

    def launch_compute(self, host: str, node_name: str | None) -> None:
        """Starts a host's nova-compute, and waits for nothing."""
        options = settings.joined(self._compute_options, self._own_options(host))
        settings.write_compute(self.folder, self.ports, self.release, self.nova_etc, host, options)
        file = self.launcher.node_file(host)
        if node_name is not None or not file.exists():
            file.write_text(node_name or "")
        self.process(host).start()

    def add_compute(self, host: str, node_name: str = "", options: settings.Sections | None = None) -> None:
        """One nova-compute more; ``node_name`` may be that of a node which lives already.

        ``options`` are this host's own, on top of those of all hosts.
        """
        if host in self.launcher.hosts():
            raise LabError(f"there is a host {host} already")
        (self.folder / "hosts" / host).mkdir()
        self._options_file(host).write_text(json.dumps(options or {}))
        self.start_compute(host, node_name=node_name)

    def _own_options(self, host: str) -> settings.Sections:
        file = self._options_file(host)
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def _options_file(self, host: str) -> Path:
        """Kept beside the host's nova.conf, which each start writes anew."""
        return self.folder / "hosts" / host / "options.json"

    def stop_compute(self, host: str, hard: bool = False) -> None:
        """Ends a host's nova-compute; ``hard`` is SIGKILL."""
        self.process(self._host(host)).stop(hard)

    def restart_compute(self, host: str, hard: bool = False) -> None:
        """Stops and starts a host's nova-compute."""
        self.stop_compute(host, hard)
        self.start_compute(host)

    def reinstall_compute(self, host: str) -> None:
        """As a new installation: the host forgets its compute_id and its guests. Its nova-compute runs after it."""
        self.stop_compute(host)
        shutil.rmtree(self.host_folder(host) / "state")
        self.start_compute(host)

    def host_folder(self, host: str) -> Path:
        """The folder of a host: nova.conf, and ``state`` with compute_id and guests.json."""
        return self.folder / "hosts" / self._host(host)

    def wait_for_hypervisor(self, host: str) -> None:
        """Waits until Nova lists the host's node: after a new service that takes one turn of the discovery."""
        log = self.log("scheduler")
        wait_until(f"nova lists the hypervisor of {host}", lambda: self.client.has_hypervisor(host), START_SECONDS, log)

    def wait_for_provider(self, node: str) -> str:
        """The UUID of the node's resource provider once it has an inventory."""

        def ready() -> str:
            uuid = self.client.providers().get(node, "")
            return uuid if uuid and self.client.inventories(uuid) else ""

        what = f"Placement has a provider with inventory named {node}"
        return wait_until(what, ready, START_SECONDS, self.log(node))

    # Periodics

    def hold(self, host: str, point: str, limit: float = LIMIT_SECONDS) -> Hold:
        """Holds the host's next periodic at a point of ``control.POINTS``, within ``with``; ``limit`` in seconds."""
        return Hold(self._control(host), point, limit, self.log(host))

    def wait_for_periodics(self, host: str, count: int = 1) -> list[Periodic]:
        """Waits until ``count`` periodics of the host that began after this call have ended; gives them."""
        return wait_for_periodics(self._control(host), count, self.log(host))

    def report_resources(self, host: str, resources: Resources) -> None:
        """Sets what the host's virt driver reports beside its own, from its next periodic on."""
        self._control(host).write_resources(resources)

    def _control(self, host: str) -> Control:
        return Control(self.host_folder(host))

    def _host(self, host: str) -> str:
        if host not in self.launcher.hosts():
            raise LabError(f"there is no host {host!r}; there are: {', '.join(self.launcher.hosts())}")
        return host
