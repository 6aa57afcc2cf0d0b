"""Whether what shall be set on the new provider fits it: Placement refuses the whole batch for one unit too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from placement_recovery.cloud.model import Inventory, Resources


@dataclass(frozen=True)
class Demand:
    """One resource class: what the kept consumers need together, and what the provider offers."""

    resource_class: str
    needed: int
    offered: int

    @property
    def fits(self) -> bool:
        """Whether all of it can be allocated."""
        return self.needed <= self.offered


def demands(parts: Iterable[Resources], inventories: Mapping[str, Inventory]) -> Tuple[Demand, ...]:
    """What these parts need together, by resource class, beside what the inventories offer."""
    needed: Dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            needed[name] = needed.get(name, 0) + amount
    return tuple(
        Demand(name, amount, inventories[name].capacity if name in inventories else 0)
        for name, amount in sorted(needed.items())
    )


def misfits(parts: Mapping[str, Resources], inventories: Mapping[str, Inventory]) -> List[str]:
    """Why these parts (by consumer) do not fit, with the numbers; empty where they do."""
    found = [_total_misfit(demand, inventories) for demand in demands(parts.values(), inventories) if not demand.fits]
    for consumer, part in sorted(parts.items()):
        for name, amount in sorted(part.items()):
            problem = _unit_misfit(amount, inventories.get(name))
            if problem:
                found.append(f"{name}: consumer {consumer} holds {amount}, {problem}")
    return found


def shrunk(parts: Iterable[Resources], inventories: Mapping[str, Inventory], reported: Resources) -> List[str]:
    """Why these parts do not fit what the host reports now, with the numbers; empty where they do, or nothing is known.

    A host may have come back smaller than its stale inventories say. Pinned CPUs are taken from the same ones.
    """
    found = []
    held = {one.resource_class: one.needed for one in demands(parts, inventories)}
    for name, total in reported.items():
        inventory, needed = inventories.get(name), held.get(name, 0)
        if inventory is None or not needed:
            continue
        pinned = held.get("PCPU", 0) if name == "VCPU" else 0
        offered = int((total - pinned - inventory.reserved) * inventory.allocation_ratio)
        if needed > offered:
            beside = f" - {pinned} pinned" if pinned else ""
            found.append(
                f"{name}: {needed} are held, but the host reports {total} now, of which ({total}{beside} - "
                f"{inventory.reserved} reserved) x ratio {inventory.allocation_ratio:g} = {offered} can be allocated"
            )
    return found


def _total_misfit(demand: Demand, inventories: Mapping[str, Inventory]) -> str:
    inventory = inventories.get(demand.resource_class)
    if inventory is None:
        return f"{demand.resource_class}: {demand.needed} are held, but the provider has no such inventory"
    return (
        f"{demand.resource_class}: {demand.needed} are held, but ({inventory.total} - {inventory.reserved} reserved) "
        f"x ratio {inventory.allocation_ratio:g} = {demand.offered} can be allocated"
    )


def _unit_misfit(amount: int, inventory: Optional[Inventory]) -> str:
    if inventory is None:
        return ""
    if amount > inventory.max_unit:
        return f"but max_unit is {inventory.max_unit}"
    if amount < inventory.min_unit:
        return f"but min_unit is {inventory.min_unit}"
    if amount % inventory.step_size:
        return f"but step_size is {inventory.step_size}"
    return ""
