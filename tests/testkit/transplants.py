"""Transplants of a host with a real nova-compute: watched from outside, or driven step by step."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from lab.openstack.control import Resources
from lab.waiting import LogMark, wait_until
from placement_recovery.config import Config
from placement_recovery.plan.case import Request
from placement_recovery.plan.method import TRANSPLANT
from placement_recovery.recovery.context import Context, open_context
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.recovery.steps.save_allocations import open_recovery
from testkit.counting import CountingClock, PlacementRequests
from testkit.driving import step_names, watched

# A periodic of nova-compute, and the refresh of its cache, so that acceptance takes no minutes.
SHORT_INTERVALS = {
    "DEFAULT": {"update_resources_interval": 3}, "compute": {"resource_provider_association_refresh": 30},
}
# What the lab's driver reports below the root of these stories' hosts.
VGPU = {"pgpu0": {"VGPU": 8}}
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")


def make_children(operator: Any, host: str) -> None:
    """A vGPU that nova-compute reports below its root, and a provider of somebody else's that somebody holds.

    What nobody holds nova 26 deletes when its host's name flips.
    """
    client, lab = operator.client, operator.lab
    lab.report_resources(host, Resources(children=VGPU))
    lab.wait_for_periodics(host)
    foreign, agent = str(uuid.uuid4()), {"name": f"{host}:agent", "parent_provider_uuid": client.provider(host)["uuid"]}
    client.placement("POST", "/resource_providers", {**agent, "uuid": foreign})
    offered = {"resource_provider_generation": 0, "inventories": {"SRIOV_NET_VF": {"total": 8}}}
    client.placement("PUT", f"/resource_providers/{foreign}/inventories", offered)
    client.allocate(str(uuid.uuid4()), foreign, {"SRIOV_NET_VF": 1})


def children(client: Any, host: str) -> Dict[str, Any]:
    """Name, UUID and parent of what is below the host's root."""
    root = client.provider(host)["uuid"]
    listed = client.placement("GET", f"/resource_providers?in_tree={root}")["resource_providers"]
    return {one["name"]: (one["uuid"], one["parent_provider_uuid"]) for one in listed if one["uuid"] != root}


@dataclass
class Driven:
    """One transplant by the library's steps; `before` are acts before a step, `meddler` acts around requests."""

    lab: Any
    host: str
    folder: Path
    meddler: PlacementRequests = field(default_factory=PlacementRequests)
    before: Dict[str, Callable[[], Any]] = field(default_factory=dict)
    requests: int = 0
    context: Optional[Context] = None
    recovery_id: str = ""

    def run(self) -> None:
        """Plan, save, and all steps, once nova has heard from nova-compute since the fault."""
        wait_until("nova-compute is up", lambda: self.lab.client.service(self.host)["state"] == "up", 60)
        config = {
            "clouds_file": str(self.lab.clouds_yaml), "cloud": "lab", "restart_how": "never", "store": "files",
            "store_folder": str(self.folder),
        }
        clock = CountingClock()
        context = watched(replace(open_context(Config.from_mapping(config)), clock=clock), self.meddler)
        plan = plan_recovery(context, self.host, Request(TRANSPLANT))[1]
        assert not plan.refusals, plan.refusals
        self.meddler.counts.clear()
        self.context = context
        journal, _ = open_recovery(context, self.host, Request(TRANSPLANT, approve=plan.digest), "tester")
        self.recovery_id = journal.saved.id
        for name in step_names(TRANSPLANT)[1:]:
            self.before.get(name, lambda: None)()
            run_step(context, self.recovery_id, name)
        self.requests = self.meddler.total - clock.waits


@dataclass(frozen=True)
class Times:
    """Seconds from the rename of the stale root to the last move, and to the acceptance, as Placement logged them."""

    moved: float
    accepted: float


def times(access: LogMark, stale: str, new: str) -> Times:
    """From Placement's request log, where nova's own requests bear an id and the recovery's do not."""
    renamed = _logged(access, rf"PUT /resource_providers/{stale}\" status: 200")
    moved = _logged(access, r"POST /allocations\" status: 204")
    accepted = _logged(access, rf"\[req-\S+ req-.*PUT /resource_providers/{new}/traits\" status: 200")
    last = max(one for one in moved if one > renamed[0])
    return Times((last - renamed[0]).total_seconds(), (accepted[0] - renamed[0]).total_seconds())


def _logged(access: LogMark, pattern: str) -> List[datetime]:
    found = [line for line in access.lines() if re.search(pattern, line)]
    assert found, pattern
    return [datetime.fromisoformat(match[0]) for match in map(TIME.search, found) if match]


def errors(log: LogMark) -> List[str]:
    """What a service logged as an error since the mark."""
    return log.lines(" ERROR ", " CRITICAL ")


def errors_in_periodics(lab: Any, host: str, count: int = 3) -> List[str]:
    """What nova-compute logs as an error in its next periodics, and the exceptions with which they end."""
    log = lab.mark(host)
    periodics = lab.wait_for_periodics(host, count)
    return [*errors(log), *(one.error for one in periodics if one.error)]


def use(operator: Any, host: str, elsewhere: str) -> Dict[str, Any]:
    """A boot, a resize to another host and back, a delete, and a restart of nova-compute; what came of each."""
    client, lab = operator.client, operator.lab
    provider = client.provider(host)["uuid"]
    found: Dict[str, Any] = {}
    booted = client.boot("after", host)
    found["booted"] = list(client.allocations(booted)) == [provider]
    vgpu = client.boot("vgpu after", host, flavor="vgpu")
    found["booted with a child"] = set(client.allocations(vgpu)) == {provider, client.provider(f"{host}_pgpu0")["uuid"]}
    client.delete(vgpu)
    with operator.only_hosts(elsewhere):
        found["resized"] = client.resize(booted)["OS-EXT-SRV-ATTR:host"] == elsewhere
    found["reverted"] = client.revert(booted)["OS-EXT-SRV-ATTR:host"] == host
    client.delete(booted)
    found["deleted"] = booted not in client.allocations_of_provider(provider)
    lab.stop_compute(host)  # at which nova 34 complains of its own threads
    log = lab.mark(host)
    lab.start_compute(host)
    found["errors"] = [*errors(log), *errors_in_periodics(lab, host)]
    return found


def provider_settings(client: Any, provider: str) -> Mapping[str, Any]:
    """What a provider carries and a recovery must keep."""
    path = f"/resource_providers/{provider}"
    return {
        "traits": set(client.placement("GET", f"{path}/traits")["traits"]),
        "aggregates": set(client.placement("GET", f"{path}/aggregates")["aggregates"]),
        "inventories": client.inventories(provider),
    }


def widen_ratio(client: Any, provider: str, ratio: float) -> None:
    """An operator sets the provider's ratio for VCPU through the API."""
    path = f"/resource_providers/{provider}/inventories"
    found = client.placement("GET", path)
    found["inventories"]["VCPU"]["allocation_ratio"] = ratio
    client.placement("PUT", path, found)


def add_trait(client: Any, provider: str, trait: str) -> None:
    """An operator marks the provider."""
    client.placement("PUT", f"/traits/{trait}")
    path = f"/resource_providers/{provider}/traits"
    found = client.placement("GET", path)
    client.placement("PUT", path, {**found, "traits": sorted({*found["traits"], trait})})
