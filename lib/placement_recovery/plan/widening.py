"""Inventories wide enough for what is moved onto them: a new root gets no grace for what its host over-commits.

Placement judges each write of a consumer by its providers' capacity, so an over-committed host's allocations do not fit
an equal new root. Its inventories are widened for the move and narrowed again right after it, which Placement allows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Dict, Iterable, Mapping, Sequence

from placement_recovery.cloud.model import Inventory, Resources
from placement_recovery.plan.capacity import demands

_FIELDS = ("reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")


def widen(inventories: Mapping[str, Inventory], parts: Iterable[Resources]) -> Dict[str, Inventory]:
    """Those of the inventories that these parts do not fit, made wide enough; empty where all fit."""
    chosen = list(parts)
    needed = {one.resource_class: one.needed for one in demands(chosen, inventories)}
    found = {}
    for name, inventory in inventories.items():
        amounts = [part[name] for part in chosen if name in part]
        if amounts:
            wide = _widened(inventory, needed[name], amounts)
            if wide != inventory:
                found[name] = wide
    return found


def _widened(inventory: Inventory, needed: int, amounts: Iterable[int]) -> Inventory:
    held = list(amounts)
    wide = replace(
        inventory,
        max_unit=max(inventory.max_unit, *held),
        min_unit=min(inventory.min_unit, *held),
        step_size=1 if any(one % inventory.step_size for one in held) else inventory.step_size,
    )
    if wide.capacity >= needed:
        return wide
    if wide.total <= wide.reserved:
        wide = replace(wide, reserved=0)
    return replace(wide, allocation_ratio=float(math.ceil(needed / (wide.total - wide.reserved))))


def widened_fields(before: Mapping[str, Inventory], wide: Mapping[str, Inventory]) -> Dict[str, Dict[str, float]]:
    """By resource class, the fields that were made wide, with their values now."""
    return {
        name: {field: getattr(one, field) for field in _FIELDS if getattr(one, field) != getattr(before[name], field)}
        for name, one in wide.items()
    }


def narrow(
    found: Mapping[str, Inventory],
    widened: Mapping[str, Mapping[str, Sequence[float]]],
    target: Mapping[str, Inventory],
) -> Dict[str, Inventory]:
    """The inventories without what was widened: each field that still is as it was widened is as in `target` again.

    What nova-compute wrote since stays; where it kept the widened ratio, the ratio is narrowed.
    """
    narrowed = dict(found)
    for name, fields in widened.items():
        if name in found and name in target:
            wide = [field for field, values in fields.items() if getattr(found[name], field) in values]
            narrowed[name] = replace(found[name], **{field: getattr(target[name], field) for field in wide})
    return narrowed
