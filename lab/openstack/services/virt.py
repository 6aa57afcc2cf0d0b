"""Nova's fake virt driver, made to behave as a real host where recoveries look: guests survive a restart.

The stock one forgets its guests; nova >= 27 then refuses to start with "no guests but instances". The node's
UUID is nova's own (state_path/compute_id) where nova has one, and the node's name can be set from outside.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nova.conf
from nova.virt import fake

from lab.openstack.services import periodics, reporting

CONF = nova.conf.CONF

# Releases before 2023.1 have only the one driver; there the node's UUID is made by the resource tracker.
Base = getattr(fake, "FakeDriverWithoutFakeNodes", fake.FakeDriver)


class LabDriver(Base):
    """Guests are kept in ``state_path/guests.json``: ``{uuid: [name, power state]}``."""

    vcpus = int(os.environ.get("LAB_VCPUS", "32"))
    memory_mb = 131072
    local_gb = 2048

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        self._file = Path(CONF.state_path, "guests.json")
        if self._file.exists():
            for uuid, (name, state) in json.loads(self._file.read_text()).items():
                self.instances[uuid] = fake.FakeInstance(name, state, uuid)

    def init_host(self, host: str) -> None:
        """As nova's, but for the name of the node if the lab has set one."""
        super().init_host(host)
        self._set_nodes([os.environ.get("LAB_NODE_NAME") or host])

    def post_live_migration(self, _context: Any, instance: Any, *_arguments: Any) -> None:
        """The guest has left this host: nova calls cleanup next, which objects to one that is still here."""
        self.instances.pop(instance.uuid, None)
        self._save()

    def update_provider_tree(self, provider_tree: Any, nodename: str, allocations: Any = None) -> None:
        """As nova's, with what a test has the host report beside it."""
        periodics.stand("before-writes")
        resources = periodics.control().resources()
        reporting.require_reshape(provider_tree, nodename, resources, allocations)
        super().update_provider_tree(provider_tree, nodename, allocations)
        reporting.report(provider_tree, nodename, resources)

    def get_available_resource(self, nodename: str) -> Any:
        """As nova's, with the PCI devices that a test has the host have."""
        available = super().get_available_resource(nodename)
        devices = reporting.pci_devices(periodics.control().resources())
        return {**available, "pci_passthrough_devices": json.dumps(devices)} if devices else available

    def get_host_uptime(self) -> str:
        """What the compute API shows as the host's uptime below 2.88; the stock driver refuses."""
        return " 00:00:00 up 1 day,  0 users,  load average: 0.00, 0.00, 0.00"

    def _save(self) -> None:
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps({uuid: (i.name, i.state) for uuid, i in self.instances.items()}))
        unfinished.replace(self._file)


def _saving(name: str) -> Any:
    def method(self: LabDriver, *arguments: Any, **named: Any) -> Any:
        result = getattr(super(LabDriver, self), name)(*arguments, **named)
        self._save()
        return result

    return method


for _name in ("spawn", "destroy", "power_on", "power_off", "unrescue", "finish_revert_migration"):
    setattr(LabDriver, _name, _saving(_name))
