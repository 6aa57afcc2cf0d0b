"""Looks at what a recovery must keep, and at what it must not leave behind."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping

from placement_recovery.cloud.model import LOCK_PREFIX
from placement_recovery.recovery.service import disabled_reason

Holdings = Dict[str, Dict[str, Dict[str, int]]]


def holdings(cloud: Any, consumers: Iterable[str]) -> Holdings:
    """{consumer: {provider: {class: amount}}}."""
    return {consumer: cloud.allocations(consumer) for consumer in consumers}


def moved(before: Mapping[str, Any], stale: str, new: str) -> Holdings:
    """The same holdings with one provider in another's place."""
    return {
        consumer: {new if provider == stale else provider: held for provider, held in parts.items()}
        for consumer, parts in before.items()
    }


def lock_traits(cloud: Any, recovery_id: str) -> List[str]:
    """The traits in all of Placement that are this recovery's lock."""
    found = cloud.placement.get(f"/traits?name=startswith:{LOCK_PREFIX}")["traits"]
    return [name for name in found if recovery_id.upper() in name]


def enabled() -> Dict[str, Any]:
    """The row of a compute service that was never touched, or given back."""
    return {"disabled": False, "disabled_reason": None, "forced_down": False}


def disabled_by(recovery_id: str) -> Dict[str, Any]:
    """The row of a compute service that a recovery has disabled."""
    return {"disabled": True, "disabled_reason": disabled_reason(recovery_id), "forced_down": False}
