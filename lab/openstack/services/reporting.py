"""What the lab's virt driver adds to its provider tree when a test asks for it: resource classes and children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova import exception

from lab.openstack.control import Resources
from lab.openstack.settings import PCI_PRODUCT, PCI_VENDOR

_IN_IDS = str.maketrans(":.", "__")


def require_reshape(tree: Any, node: str, resources: Resources, allocations: Any) -> None:
    """As libvirt's driver for guests with pinned CPUs: a root without PCPU is taken for one of before Train."""
    needed = resources.pinned_guests and "PCPU" not in tree.data(node).inventory
    if needed and allocations is None:  # given, they are what nova-compute reshapes at its start
        raise exception.ReshapeNeeded


def report(tree: Any, node: str, resources: Resources) -> None:
    """Sets the totals on the root, and makes or updates the children; a child is never removed."""
    tree.update_inventory(node, _updated(tree.data(node).inventory, resources.inventory))
    for suffix, inventory in resources.children.items():
        child = f"{node}_{suffix}"
        if not tree.exists(child):
            tree.new_child(child, node)
        tree.update_inventory(child, _updated({}, inventory))
        tree.add_traits(child, "OWNER_NOVA")


def pci_devices(resources: Resources) -> list[dict[str, Any]]:
    """Devices as libvirt's driver lists them, of the one kind for which the lab's nova.conf has an alias."""
    kind = {"vendor_id": PCI_VENDOR, "product_id": PCI_PRODUCT, "label": f"label_{PCI_VENDOR}_{PCI_PRODUCT}"}
    usual = {"status": "available", "dev_type": "type-PCI", "parent_addr": None, "numa_node": None, **kind}
    return [{**usual, "address": one, "dev_id": "pci_" + one.translate(_IN_IDS)} for one in resources.pci]


def _updated(inventory: Mapping[str, Any], totals: Mapping[str, int]) -> dict[str, Any]:
    """A class that is there keeps all but its total; a new one has nothing reserved and is not over-committed."""
    new = {"min_unit": 1, "step_size": 1, "reserved": 0, "allocation_ratio": 1.0}
    changed = {
        name: {**new, **inventory.get(name, {}), "total": total, "max_unit": total} for name, total in totals.items()
    }
    return {**inventory, **changed}
