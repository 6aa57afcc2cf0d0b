"""The nouns of Nova and Placement, as immutable values that go to JSON and back.

`Resources` maps a resource class to an amount, in Placement's units (MEMORY_MB in MiB, DISK_GB in GiB).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

Resources = Mapping[str, int]

LOCK_PREFIX = "CUSTOM_PLACEMENT_RECOVERY_"

# nova-compute's signature on the root that it has accepted (since Ussuri): never written here, and never taken away.
ACCEPTED = "COMPUTE_NODE"
# What nova-compute sets while its service is disabled: the scheduler passes such a provider by.
STATUS_DISABLED = "COMPUTE_STATUS_DISABLED"


def recovery_of_lock(trait: str) -> str:
    """The id of the recovery whose lock this trait is; its attempt follows the id."""
    return trait[len(LOCK_PREFIX):].partition("_")[0].lower()


def recoveries_of_locks(traits: Iterable[str]) -> Tuple[str, ...]:
    """The ids of the recoveries whose locks are among these traits."""
    return tuple(sorted({recovery_of_lock(one) for one in traits if one.startswith(LOCK_PREFIX)}))


@dataclass(frozen=True)
class CloudIdentity:
    """Which cloud it is: Keystone's URL, the region, and the endpoints of Nova and Placement."""

    auth_url: str
    region: str
    compute: str
    placement: str

    def is_same(self, other: CloudIdentity) -> bool:
        """Whether both name one cloud, by its Keystone and region or by its Placement; its URLs may be others."""
        keystone = (self.auth_url.rstrip("/"), self.region) == (other.auth_url.rstrip("/"), other.region)
        return keystone or self.placement.rstrip("/") == other.placement.rstrip("/")

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> CloudIdentity:
        """Inverse of `as_dict`."""
        return cls(**value)


@dataclass(frozen=True)
class Inventory:
    """One resource class that a provider offers."""

    total: int
    reserved: int
    min_unit: int
    max_unit: int
    step_size: int
    allocation_ratio: float

    @property
    def capacity(self) -> int:
        """How much Placement lets all consumers hold together."""
        return int((self.total - self.reserved) * self.allocation_ratio)


@dataclass(frozen=True)
class Provider:
    """A resource provider with all that it carries."""

    uuid: str
    name: str
    generation: int
    parent_uuid: Optional[str] = None
    root_uuid: Optional[str] = None
    inventories: Mapping[str, Inventory] = field(default_factory=dict)
    traits: Tuple[str, ...] = ()
    aggregates: Tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name and UUID, for a message."""
        return f"{self.name} ({self.uuid})"

    @property
    def locked_by(self) -> Tuple[str, ...]:
        """Ids of the recoveries whose lock this provider bears."""
        return recoveries_of_locks(self.traits)

    @property
    def is_nova_provider(self) -> bool:
        """Whether Nova made it: nobody else offers VCPU or MEMORY_MB, or sets COMPUTE_NODE."""
        return "COMPUTE_NODE" in self.traits or bool({"VCPU", "PCPU", "MEMORY_MB"} & set(self.inventories))

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Provider:
        """Inverse of `as_dict`."""
        inventories = {name: Inventory(**item) for name, item in value["inventories"].items()}
        return cls(**{**value, "inventories": inventories, "traits": tuple(value["traits"]),
                      "aggregates": tuple(value["aggregates"])})


@dataclass(frozen=True)
class Consumer:
    """All that one consumer holds, on all providers. `generation` is None where it holds nothing.

    `type` is Placement's consumer type (>= 1.38), "" where it has none that could be written again.
    """

    uuid: str
    project_id: str
    user_id: str
    generation: Optional[int]
    allocations: Mapping[str, Resources]
    type: str = ""

    def on(self, provider_uuids: Tuple[str, ...]) -> Dict[str, Dict[str, int]]:
        """Its parts on these providers, by provider's UUID."""
        return {uuid: dict(part) for uuid, part in self.allocations.items() if uuid in provider_uuids}

    def without(self, provider_uuids: Tuple[str, ...]) -> Dict[str, Dict[str, int]]:
        """Its parts on all other providers, by provider's UUID."""
        return {uuid: dict(part) for uuid, part in self.allocations.items() if uuid not in provider_uuids}

    def holding(self, allocations: Mapping[str, Resources]) -> Consumer:
        """The same consumer with other allocations."""
        return replace(self, allocations=allocations)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Consumer:
        """Inverse of `as_dict`."""
        return cls(**value)


@dataclass(frozen=True)
class Part:
    """What a consumer holds on one provider, and the consumer's generation: each write of the consumer bumps it."""

    resources: Resources
    generation: int


@dataclass(frozen=True)
class HostAggregate:
    """A host aggregate of Nova; `uuid` is also that of Placement's aggregate of its hosts' providers."""

    uuid: str
    name: str
    hosts: Tuple[str, ...]


@dataclass(frozen=True)
class Hypervisor:
    """A compute node: its UUID, its node name and the host whose nova-compute reports it.

    `reported` is what that one counts of the host, by resource class (< 2.88; Nova shows it no more since).
    """

    uuid: str
    node: str
    host: str
    type: str
    state: str
    status: str
    reported: Resources = field(default_factory=dict)


@dataclass(frozen=True)
class ComputeService:
    """The nova-compute service of a host. `status` is enabled, disabled, or UNKNOWN for a cell that is down."""

    uuid: str
    host: str
    status: str
    state: str
    disabled_reason: str
    forced_down: bool

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ComputeService:
        """Inverse of `as_dict`."""
        return cls(**value)


@dataclass(frozen=True)
class Server:
    """A server as Nova's API shows it; host and node are "" where it has none."""

    uuid: str
    name: str
    status: str
    vm_state: str
    task_state: str
    host: str
    node: str
    project_id: str

    @property
    def is_deleted(self) -> bool:
        """Whether it is gone for good. SOFT_DELETED is not: it can be restored."""
        return self.status == "DELETED" or self.vm_state == "deleted"


@dataclass(frozen=True)
class Migration:
    """A move of a server: resize, cold or live migration, evacuation. `uuid` is the consumer of its source part."""

    uuid: str
    server_uuid: str
    status: str
    type: str
    source_host: str
    source_node: str
    dest_host: str
    dest_node: str

    @property
    def is_open(self) -> bool:
        """Whether Nova may still write the allocations of its server."""
        return self.status not in SETTLED_MIGRATIONS

    @property
    def route(self) -> str:
        """What it is, from where and to where; the destination may not be chosen yet."""
        return f"{self.type} from {self.source_host} to {self.dest_host or 'a host that is not chosen yet'}"


# The states of a move that Nova knows while it is under way, and the one that waits for the owner.
OPEN_MIGRATIONS = (
    "queued", "accepted", "preparing", "pre-migrating", "running", "post-migrating", "migrating", "confirming",
    "reverting", "finished",
)  # fmt: skip

# The states in which Nova is done with a move (nova/compute/manager.py sets them); any other one, also one that
# a later Nova invents, counts as under way. `finished` waits for the owner's confirm or revert and is judged apart.
SETTLED_MIGRATIONS = frozenset(
    ("finished", "completed", "done", "confirmed", "reverted", "failed", "error", "cancelled")
)


def as_dict(value: Any) -> Dict[str, Any]:
    """A dataclass of this module as plain JSON values."""
    return asdict(value)
