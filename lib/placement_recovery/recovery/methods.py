"""The one place where each method's sequence of steps is written.

The Orquesta workflows draw the same sequence (a check compares them); a record's steps bear these names; resuming is
the same sequence from the top, where what is done is seen to be done and skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Mapping, Tuple

from placement_recovery.errors import InvalidInput
from placement_recovery.plan.method import DISCARD, PRESERVE, TRANSPLANT


@dataclass(frozen=True)
class Step:
    """A step: its name (the workflow's task), the action that does it, and that action's fixed parameters."""

    name: str
    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


SAVE_ALLOCATIONS = Step("save_allocations", "save_allocations")
LOCK_PROVIDER = Step("lock_provider", "lock_provider")
DISABLE_COMPUTE_SERVICE = Step("disable_compute_service", "set_compute_service", {"enabled": False})
DELETE_ALLOCATIONS = Step("delete_allocations", "delete_allocations")
DELETE_RESOURCE_PROVIDER = Step("delete_resource_provider", "delete_resource_provider")
WAIT_FOR_PERIODIC = Step("wait_for_periodic", "wait_for_resource_provider", {"patience": "periodic"})
RESTART_NOVA_COMPUTE = Step("restart_nova_compute", "restart_nova_compute")
WAIT_FOR_RESOURCE_PROVIDER = Step("wait_for_resource_provider", "wait_for_resource_provider", {"patience": "restart"})
CREATE_RESOURCE_PROVIDER = Step("create_resource_provider", "create_resource_provider")
SET_ALLOCATIONS = Step("set_allocations", "set_allocations")
REPLACE_RESOURCE_PROVIDER = Step("replace_resource_provider", "replace_resource_provider")
COPY_PROVIDER_SETTINGS = Step("copy_provider_settings", "copy_provider_settings")
MOVE_ALLOCATIONS = Step("move_allocations", "move_allocations")
WAIT_FOR_NOVA_COMPUTE = Step("wait_for_nova_compute", "wait_for_nova_compute")
VERIFY_RECOVERY = Step("verify_recovery", "verify_recovery")
CLOSE_RECOVERY = Step("close_recovery", "close_recovery")

_BEGIN = (SAVE_ALLOCATIONS, LOCK_PROVIDER, DISABLE_COMPUTE_SERVICE)
_UNTIL_NEW_PROVIDER = (*_BEGIN, DELETE_ALLOCATIONS, DELETE_RESOURCE_PROVIDER, CREATE_RESOURCE_PROVIDER)
_UNTIL_ACCEPTED = (WAIT_FOR_PERIODIC, RESTART_NOVA_COMPUTE, WAIT_FOR_RESOURCE_PROVIDER)
_END = (VERIFY_RECOVERY, CLOSE_RECOVERY)

# nova-compute is waited for when all is set: meanwhile the servers would be without their allocations.
SEQUENCES: Dict[str, Tuple[Step, ...]] = {
    DISCARD: (*_UNTIL_NEW_PROVIDER, *_UNTIL_ACCEPTED, *_END),
    PRESERVE: (*_UNTIL_NEW_PROVIDER, SET_ALLOCATIONS, *_UNTIL_ACCEPTED, *_END),
    TRANSPLANT: (
        *_BEGIN,
        REPLACE_RESOURCE_PROVIDER,
        COPY_PROVIDER_SETTINGS,
        MOVE_ALLOCATIONS,
        WAIT_FOR_NOVA_COMPUTE,
        DELETE_RESOURCE_PROVIDER,
        *_END,
    ),
}

# While these are done, the host's allocations are away, or on another provider than nova-compute's.
LOOKS_EMPTY: FrozenSet[str] = frozenset(
    step.name
    for step in (
        DELETE_ALLOCATIONS,
        DELETE_RESOURCE_PROVIDER,
        WAIT_FOR_PERIODIC,
        RESTART_NOVA_COMPUTE,
        WAIT_FOR_RESOURCE_PROVIDER,
        CREATE_RESOURCE_PROVIDER,
        SET_ALLOCATIONS,
        REPLACE_RESOURCE_PROVIDER,
        COPY_PROVIDER_SETTINGS,
        MOVE_ALLOCATIONS,
    )
)

RESTORE_RESOURCE_PROVIDER = Step("restore_resource_provider", "restore_resource_provider")
RETURN_ALLOCATIONS = Step("return_allocations", "return_allocations")

RETURN_PROVIDER_NAME = Step("return_provider_name", "return_provider_name")

# What takes a recovery back: until its new provider is created or, in a transplant, accepted by nova-compute.
ROLLBACK: Tuple[Step, ...] = (RESTORE_RESOURCE_PROVIDER, RETURN_ALLOCATIONS, RETURN_PROVIDER_NAME, CLOSE_RECOVERY)


def steps_of(method: str, back: bool) -> Tuple[Step, ...]:
    """The steps of a recovery by this method, or of its rollback."""
    return ROLLBACK if back else SEQUENCES[method]


def steps_before(method: str, name: str, back: bool = False) -> Tuple[str, ...]:
    """The names of the steps that must be done before this one. Raises InvalidInput for a step of another method."""
    names = [step.name for step in steps_of(method, back)]
    if name not in names:
        raise InvalidInput(f"{method} has no step {name}; it has {', '.join(names)}")
    return tuple(names[: names.index(name)])
