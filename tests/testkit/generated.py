"""Snapshots of a stale host, made up by hypothesis: any mixture of consumers that Placement and Nova can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List

from hypothesis import strategies as st

from placement_recovery.cloud.model import (
    ComputeService,
    Consumer,
    Hypervisor,
    Inventory,
    Migration,
    Provider,
    Server,
)
from placement_recovery.cloud.snapshot import Owners, Snapshot

HOST, NODE, STALE, NEW = "compute-0", "compute-0", "stale-provider", "new-node"
HOME = Hypervisor("home-node", "compute-1", "compute-1", "QEMU", "up", "enabled")
HERE = Hypervisor(NEW, NODE, HOST, "QEMU", "up", "enabled")
ELSEWHERE = (HOME.uuid, "storage-pool")

STATUSES = (
    "ACTIVE", "SHUTOFF", "ERROR", "VERIFY_RESIZE", "SHELVED_OFFLOADED", "BUILD", "SOFT_DELETED", "UNKNOWN", "RESIZE",
)
MOVES = (
    "queued", "running", "finished", "error", "failed", "confirmed", "reverted", "completed", "done", "accepted",
    "never-heard-of",
)

_resources = st.dictionaries(
    st.sampled_from(["VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_THING"]), st.integers(1, 64), min_size=1, max_size=3
)


def service(**changes: Any) -> ComputeService:
    """The host's nova-compute, up and enabled unless changed."""
    facts = {"status": "enabled", "state": "up", "disabled_reason": "", "forced_down": False, **changes}
    return ComputeService("service", HOST, **facts)


# Made once: hypothesis needs longer to make a strategy than to draw from it.
_others = st.dictionaries(st.sampled_from(ELSEWHERE), _resources, max_size=2)
_consumers = st.builds(
    lambda here, others, generation, kind: Consumer("", "p", "u", generation, {STALE: here, **others}, kind),
    _resources, _others, st.integers(0, 9), st.sampled_from(["", "INSTANCE", "MIGRATION", "ZUN"]),
)
_here = [(HOST, NODE), (HOST, "other-name")]
_elsewhere = [("compute-1", "compute-1"), ("gone", "gone"), ("", "")]
_servers = st.builds(
    lambda status, place, task, name: Server("", name, status, "", task, *place, "p"),
    st.sampled_from(STATUSES), st.sampled_from(_here + _elsewhere), st.sampled_from(["", "", "", "migrating"]),
    st.text(max_size=8),
)
_migrations = st.builds(
    lambda status, kind, ends: Migration("", "", status, kind, ends[0], ends[0], ends[1], ends[1]),
    st.sampled_from(MOVES), st.sampled_from(["resize", "live-migration", "evacuation", "migration"]),
    st.sampled_from([(HOST, "compute-1"), ("compute-1", HOST), (HOST, "")]),
)
_services = st.sampled_from([service(), service(), service(forced_down=True), service(state="down"), None])
_kinds = st.sampled_from(["server", "moving server", "migration", "deleted", "unknown"])


@st.composite
def snapshots(draw: Any) -> Snapshot:
    """A proven stale provider with up to six consumers, each of any kind."""
    consumers: List[Consumer] = []
    servers: Dict[str, Server] = {}
    deleted: Dict[str, str] = {}
    moves: List[Migration] = []
    for number in range(draw(st.integers(0, 6))):
        uuid = f"consumer-{number}"
        consumers.append(replace(draw(_consumers), uuid=uuid))
        kind = draw(_kinds)
        owner = f"server-{number}" if kind == "migration" else uuid
        if kind in ("server", "moving server") or (kind == "migration" and draw(st.booleans())):
            servers[owner] = replace(draw(_servers), uuid=owner)
        if kind in ("moving server", "migration"):
            move = uuid if kind == "migration" else f"move-{number}"
            moves.append(replace(draw(_migrations), uuid=move, server_uuid=owner))
        if kind == "deleted":
            deleted[uuid] = "it is DELETED in nova"
    return Snapshot(
        requested_name=HOST, hypervisors=(HERE, HOME), unreachable_hosts=(), matches=(HERE,),
        service=draw(_services),
        provider_by_name=stale_provider(), tree=(stale_provider(),), consumers=tuple(consumers),
        owners=Owners(servers, deleted, tuple(moves)),
    )


def stale_provider() -> Provider:
    """With room for nearly everything."""
    roomy = Inventory(1000, 0, 1, 60, 1, 1.0)
    inventories = dict.fromkeys(("VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_THING"), roomy)
    return Provider(STALE, NODE, 1, root_uuid=STALE, inventories=inventories, traits=("COMPUTE_NODE",))
