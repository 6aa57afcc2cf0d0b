"""What an audit can find, in the order in which it is worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Tuple

from placement_recovery.plan.diagnosis import (
    CANNOT_TELL,
    DUPLICATE_NODE_NAME,
    HOST_NOT_MAPPED,
    OTHER_FAULT,
    SET_ASIDE,
    STALE_PROVIDER,
)

UNFINISHED_RECOVERY = "unfinished_recovery"
ORPHANED_LOCK = "orphaned_lock"
NO_PROVIDER = "no_provider"
DISABLED_SERVICE = "disabled_service"
UNMATCHED_PROVIDER = "unmatched_provider"
ORPHANED_ALLOCATION = "orphaned_allocation"

# Each kind with what one and many of it are called.
WORDS: Dict[str, Tuple[str, str]] = {
    CANNOT_TELL: ("cell down", "cells down"),
    UNFINISHED_RECOVERY: ("unfinished recovery", "unfinished recoveries"),
    ORPHANED_LOCK: ("orphaned lock", "orphaned locks"),
    STALE_PROVIDER: ("stale provider", "stale providers"),
    SET_ASIDE: ("stale provider that was set aside", "stale providers that were set aside"),
    DUPLICATE_NODE_NAME: ("duplicate node name", "duplicate node names"),
    NO_PROVIDER: ("compute node without a provider", "compute nodes without a provider"),
    OTHER_FAULT: ("compute node with another fault", "compute nodes with another fault"),
    HOST_NOT_MAPPED: ("host that is not mapped", "hosts that are not mapped"),
    DISABLED_SERVICE: ("service that a recovery left disabled", "services that a recovery left disabled"),
    UNMATCHED_PROVIDER: ("provider without a compute node", "providers without a compute node"),
    ORPHANED_ALLOCATION: ("orphaned allocation", "orphaned allocations"),
}


@dataclass(frozen=True)
class Finding:
    """One thing: which host (or node) it concerns, the UUID or id it is about, what is the case, and what to type."""

    kind: str
    host: str
    subject: str
    summary: str
    next: str = ""
