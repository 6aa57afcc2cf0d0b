"""Plans on the test cloud, and what a plan says of one consumer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Dict, List, Optional

from placement_recovery.config import Config
from placement_recovery.plan.case import Request
from placement_recovery.plan.consumers import Decision
from placement_recovery.plan.plan import Plan
from placement_recovery.recovery.context import open_context
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.restart.restarter import Restarter
from testkit.api import SEEDING
from testkit.cloud import Cloud


class Planner:
    """`planner.plan(host, ...)` plans as an action does; logged in once."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.context = open_context(Config.from_mapping(cloud.config()))

    def plan(self, host: str, *, config: Optional[Dict[str, Any]] = None, **request: Any) -> Plan:
        """`request` are the fields of Request; `config` are options that differ from the test cloud's."""
        context = self.context
        if config:
            wanted = Config.from_mapping(self._cloud.config(**config))
            context = replace(context, config=wanted, restarter=Restarter(wanted))
        return plan_recovery(context, host, Request(**request))[1]


class Writes:
    """What the pack wrote to Placement and Nova since this was made: both services' own logs tell."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._placement = cloud.placement_mark()
        self._log = cloud.lab.log("nova-api")
        self._nova = self._log.stat().st_size

    def found(self) -> List[str]:
        """A line for each request that was no GET."""
        with self._log.open("rb") as log:
            log.seek(self._nova)
            lines = log.read().decode(errors="replace").splitlines()
        logged = [line for line in lines if SEEDING not in line and re.search(r'"(POST|PUT|DELETE|PATCH) /', line)]
        return logged + [str(write) for write in self._cloud.placement_writes_since(self._placement)]


def decision(plan: Plan, consumer: str) -> Decision:
    """The one decision about a consumer."""
    (found,) = (one for one in plan.decisions if one.uuid == consumer)
    return found


def part(plan: Plan, consumer: str) -> Dict[str, Any]:
    """What a consumer holds of the stale tree, by provider."""
    return decision(plan, consumer).consumer.on(plan.stale_tree)


def elsewhere(plan: Plan, consumer: str) -> List[str]:
    """The other providers that a consumer holds."""
    return sorted(decision(plan, consumer).consumer.without(plan.stale_tree))


def outcome(plan: Plan, consumer: str) -> tuple:
    """Kind and disposition of a consumer, and the state of the whole plan."""
    found = decision(plan, consumer)
    return found.kind, found.disposition, plan.state


def refusal(plan: Plan) -> str:
    """The only reason why a plan is refused."""
    assert plan.state == "refused"
    (found,) = plan.refusals
    return found
