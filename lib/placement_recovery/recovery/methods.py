"""The one place where each method's sequence of steps is written.

The Orquesta workflows draw the same sequence (a check compares them); a record's steps bear these names; resuming is
the same sequence from the top, where what is done is seen to be done and skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Tuple

from placement_recovery.errors import InvalidInput


@dataclass(frozen=True)
class Step:
    """A step: its name (the workflow's task), the action that does it, and that action's fixed parameters."""

    name: str
    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


SAVE = Step("save_allocations", "save_allocations")
CLAIM = Step("claim_provider", "claim_provider")
DISABLE = Step("disable_compute_service", "set_compute_service", {"enabled": False})
CLEAR = Step("delete_allocations", "delete_allocations")
DELETE = Step("delete_resource_provider", "delete_resource_provider")
PERIODIC = Step("wait_for_periodic", "wait_for_resource_provider", {"patience": "periodic"})
RESTART = Step("restart_nova_compute", "restart_nova_compute")
WAIT = Step("wait_for_resource_provider", "wait_for_resource_provider", {"patience": "restart"})
SETTINGS = Step("restore_provider_settings", "restore_provider_settings")
SET = Step("set_allocations", "set_allocations")
VERIFY = Step("verify_recovery", "verify_recovery")
CLOSE = Step("close_recovery", "close_recovery")

_UNTIL_NEW_PROVIDER = (SAVE, CLAIM, DISABLE, CLEAR, DELETE, PERIODIC, RESTART, WAIT)

# Settings come before allocations: what is kept may need the ratio that was set on the stale provider.
METHODS: Dict[str, Tuple[Step, ...]] = {
    "discard": (*_UNTIL_NEW_PROVIDER, SETTINGS, VERIFY, CLOSE),
    "preserve": (*_UNTIL_NEW_PROVIDER, SETTINGS, SET, VERIFY, CLOSE),
}

RESTORE_PROVIDER = Step("restore_resource_provider", "restore_resource_provider")
RETURN = Step("return_allocations", "return_allocations")

# What takes a recovery back, whatever its method, as long as nova-compute has not made its new provider.
ROLLBACK: Tuple[Step, ...] = (RESTORE_PROVIDER, RETURN, CLOSE)


def steps_of(method: str, back: bool) -> Tuple[Step, ...]:
    """The steps of a recovery by this method, or of its rollback."""
    return ROLLBACK if back else METHODS[method]


def steps_before(method: str, name: str, back: bool = False) -> Tuple[str, ...]:
    """The names of the steps that must be done before this one. Raises InvalidInput for one of another method."""
    names = [step.name for step in steps_of(method, back)]
    if name not in names:
        raise InvalidInput(f"{method} has no step {name}; it has {', '.join(names)}")
    return tuple(names[: names.index(name)])
