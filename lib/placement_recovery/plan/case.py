"""What a plan is made from: the snapshot, what somebody wants, and the decisions so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Mapping, Tuple

from placement_recovery.cloud.model import Hypervisor, Provider, Resources
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.config import Config
from placement_recovery.plan.consumers import KEEP, Decision
from placement_recovery.plan.method import DEFAULT_METHOD


@dataclass(frozen=True)
class Request:
    """What somebody wants: a method, what to do with unknown consumers, and perhaps the digest that they approve.

    With method APPROVED the digest selects method and unknown.
    `automatic` is set for what a trigger starts; then the configuration's automation decides what may run.
    """

    method: str = DEFAULT_METHOD
    unknown: str = KEEP
    approve: str = ""
    automatic: bool = False


@dataclass(frozen=True)
class Surroundings:
    """Facts that are neither Nova's nor Placement's: an unfinished recovery's id, and how the restart's trial went.

    `cooling` says why what a trigger starts has to wait; "" where it need not. `compute_api` is Nova's highest
    microversion, `reparents` whether Placement can give a child another parent. `crowded` are the other providers that
    consumers hold too and that are over-committed, with the numbers.
    """

    unfinished: str = ""
    restart_problem: str = ""
    restart_way: str = ""
    cooling: str = ""
    compute_api: Tuple[int, int] = (0, 0)
    reparents: bool = False
    crowded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A stale provider that was proven, with all that speaks for or against its recovery."""

    snapshot: Snapshot
    hypervisor: Hypervisor
    stale: Provider
    decisions: Tuple[Decision, ...]
    request: Request
    config: Config
    around: Surroundings

    @property
    def tree(self) -> Tuple[str, ...]:
        """The UUIDs of the stale tree."""
        return tuple(one.uuid for one in self.snapshot.tree)

    @property
    def children(self) -> Tuple[Provider, ...]:
        """What is below the stale root."""
        return tuple(one for one in self.snapshot.tree if one.uuid != self.stale.uuid)

    @property
    def kept(self) -> Dict[str, Resources]:
        """Consumer's UUID to the resources that are to be set on the new provider."""
        parts = ((one.uuid, one.consumer.allocations) for one in self.decisions if one.disposition == KEEP)
        return {uuid: part[self.stale.uuid] for uuid, part in parts if self.stale.uuid in part}
