"""Snapshots of a stale host, made up by hypothesis: any mixture of consumers that Placement and Nova can show."""

from __future__ import annotations

from typing import Any, Dict, List

from hypothesis import strategies as st

from placement_recovery.model import (
    ComputeService,
    Consumer,
    Hypervisor,
    Inventory,
    Migration,
    Provider,
    Server,
)
from placement_recovery.snapshot import Owners, Snapshot

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


def _allocations() -> st.SearchStrategy[Dict[str, Dict[str, int]]]:
    others = st.dictionaries(st.sampled_from(ELSEWHERE), _resources, max_size=2)
    return st.builds(lambda here, other: {STALE: here, **other}, _resources, others)


def _consumer(uuid: str) -> st.SearchStrategy[Consumer]:
    types = st.sampled_from(["", "INSTANCE", "MIGRATION", "ZUN"])
    return st.builds(Consumer, st.just(uuid), st.just("p"), st.just("u"), st.integers(0, 9), _allocations(), types)


def _server(uuid: str) -> st.SearchStrategy[Server]:
    here, elsewhere = [(HOST, NODE), (HOST, "other-name")], [("compute-1", "compute-1"), ("gone", "gone"), ("", "")]
    places = st.sampled_from(here + elsewhere)
    tasks = st.sampled_from(["", "", "", "migrating"])
    return st.builds(
        lambda status, place, task, name: Server(uuid, name, status, "", task, *place, "p"),
        st.sampled_from(STATUSES), places, tasks, st.text(max_size=8),
    )


def _migration(uuid: str, server: str) -> st.SearchStrategy[Migration]:
    kinds = st.sampled_from(["resize", "live-migration", "evacuation", "migration"])
    ends = st.sampled_from([(HOST, "compute-1"), ("compute-1", HOST), (HOST, "")])
    return st.builds(
        lambda status, kind, ends: Migration(uuid, server, status, kind, ends[0], ends[0], ends[1], ends[1]),
        st.sampled_from(MOVES), kinds, ends,
    )


@st.composite
def snapshots(draw: Any) -> Snapshot:
    """A proven stale provider with up to six consumers, each of any kind."""
    consumers: List[Consumer] = []
    servers: Dict[str, Server] = {}
    deleted: Dict[str, str] = {}
    moves: List[Migration] = []
    for number in range(draw(st.integers(0, 6))):
        uuid = f"consumer-{number}"
        consumers.append(draw(_consumer(uuid)))
        kind = draw(st.sampled_from(["server", "moving server", "migration", "deleted", "unknown"]))
        owner = f"server-{number}" if kind == "migration" else uuid
        if kind in ("server", "moving server") or (kind == "migration" and draw(st.booleans())):
            servers[owner] = draw(_server(owner))
        if kind in ("moving server", "migration"):
            moves.append(draw(_migration(uuid if kind == "migration" else f"move-{number}", owner)))
        if kind == "deleted":
            deleted[uuid] = "it is DELETED in nova"
    return Snapshot(
        asked=HOST, hypervisors=(HERE, HOME), unreachable_hosts=(), matches=(HERE,),
        service=draw(st.sampled_from([service(), service(forced_down=True), service(state="down"), None, service()])),
        named=stale_provider(), tree=(stale_provider(),), consumers=tuple(consumers),
        owners=Owners(servers, deleted, tuple(moves)),
    )


def service(**changes: Any) -> ComputeService:
    """The host's nova-compute, up and enabled unless changed."""
    facts = {"status": "enabled", "state": "up", "disabled_reason": "", "forced_down": False, **changes}
    return ComputeService("service", HOST, **facts)


def stale_provider() -> Provider:
    """With room for nearly everything."""
    roomy = Inventory(1000, 0, 1, 60, 1, 1.0)
    inventories = dict.fromkeys(("VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_THING"), roomy)
    return Provider(STALE, NODE, 1, root_uuid=STALE, inventories=inventories, traits=("COMPUTE_NODE",))
