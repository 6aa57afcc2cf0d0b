"""A saved record and its progress, as a recovery of two consumers makes them."""

from __future__ import annotations

from typing import Any

from placement_recovery.cloud.model import CloudIdentity, ComputeService, Consumer, Inventory, Provider
from placement_recovery.plan.consumers import Decision
from placement_recovery.records.record import Progress, Saved

STALE = "11111111-1111-4111-8111-111111111111"
NEW = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
SERVERS = ("44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555")
AT = "2026-01-02T03:04:05Z"

TREE = Provider(
    uuid=STALE, name="compute-0", generation=7, root_uuid=STALE, inventories={"VCPU": Inventory(16, 0, 1, 16, 1, 4.0)},
    traits=("COMPUTE_NODE", "CUSTOM_OWN"), aggregates=(OTHER,),
)
CLOUD = CloudIdentity("http://keystone/v3", "One", "http://nova/v2.1", "http://placement")
SERVICE = ComputeService("66666666-6666-4666-8666-666666666666", "compute-0", "enabled", "up", "", False)


def consumer(uuid: str, name: str = "web", disposition: str = "keep", **more: Any) -> Decision:
    """One that holds a VCPU of the stale provider."""
    held = Consumer(uuid, "project", "user", 3, {STALE: {"VCPU": 1}}, **more)
    return Decision(held, "server", disposition, f"ACTIVE on {SERVICE.host}", name)


def saved(recovery_id: str = "3f9a2c0d11", **changes: Any) -> Saved:
    """What was saved; any field may be another."""
    values = {
        "id": recovery_id, "created_at": AT, "started_by": "tester", "requested_name": "compute-0", "host": "compute-0",
        "node": "compute-0", "method": "preserve", "unknown": "keep", "digest": "0123456789ab",
        "cloud": CLOUD,
        "findings": ("provider is stale", "a note"), "new_provider": NEW, "service": SERVICE, "tree": (TREE,),
        "consumers": (consumer(SERVERS[0]), consumer(SERVERS[1], "Zürich 東京 {{ x }} <% y %>", type="INSTANCE")),
    }
    return Saved(**{**values, **changes})


def progress(recovery_id: str = "3f9a2c0d11", **changes: Any) -> Progress:
    """How far it came."""
    values = {
        "id": recovery_id, "saved": "0" * 64, "host": "compute-0", "method": "preserve", "created_at": AT,
        "updated_at": AT, "attempt": "12ab34cd",
    }
    return Progress(**{**values, **changes})
