"""The nouns: what they tell of themselves, and that they go to JSON and back."""

from __future__ import annotations

import json

import pytest

from placement_recovery.cloud.model import (
    ComputeService,
    Consumer,
    Inventory,
    Migration,
    Provider,
    Server,
    as_dict,
)

VCPU = Inventory(total=16, reserved=1, min_unit=1, max_unit=16, step_size=1, allocation_ratio=4.0)
PROVIDER = Provider(
    "u", "compute-0", 7, root_uuid="u", inventories={"VCPU": VCPU}, traits=("COMPUTE_NODE",), aggregates=("a", "b")
)
CONSUMER = Consumer("c", "p", "u", 3, {"one": {"VCPU": 1}, "two": {"DISK_GB": 5}}, "INSTANCE")
SERVICE = ComputeService("u", "h", "enabled", "up", "", forced_down=False)


@pytest.mark.parametrize("value", [PROVIDER, Provider("u", "n", 0), CONSUMER, Consumer("c", "", "", None, {}), SERVICE])
def test_a_value_goes_to_json_and_back(value):
    """As a record keeps it."""
    assert type(value).from_dict(json.loads(json.dumps(as_dict(value)))) == value


@pytest.mark.parametrize(
    ("total", "reserved", "ratio", "capacity"),
    [(16, 0, 4.0, 64), (16, 1, 4.0, 60), (3, 0, 1.5, 4), (8, 8, 1.0, 0), (65536, 512, 1.0, 65024), (10, 0, 0.99, 9)],
)
def test_capacity_is_what_placement_lets_all_hold_together(total, reserved, ratio, capacity):
    """(total - reserved) x ratio, whole units only."""
    assert Inventory(total, reserved, 1, total, 1, ratio).capacity == capacity


def test_a_consumers_parts_are_told_apart():
    """On some providers, and on all others."""
    assert CONSUMER.on(("one", "three")) == {"one": {"VCPU": 1}}
    assert CONSUMER.without(("one", "three")) == {"two": {"DISK_GB": 5}}
    assert CONSUMER.holding({}).allocations == {}
    assert CONSUMER.allocations == {"one": {"VCPU": 1}, "two": {"DISK_GB": 5}}


def test_a_provider_names_the_recoveries_that_lock_it():
    """By the ids in its traits."""
    locked = Provider("u", "n", 0, traits=("COMPUTE_NODE", "CUSTOM_PLACEMENT_RECOVERY_00AB12CD34"))
    assert locked.locked_by == ("00ab12cd34",)
    assert PROVIDER.locked_by == ()


@pytest.mark.parametrize(
    ("traits", "classes", "novas"),
    [
        (("COMPUTE_NODE",), (), True), ((), ("VCPU",), True), ((), ("PCPU",), True), ((), ("MEMORY_MB",), True),
        ((), (), False), (("CUSTOM_X",), ("DISK_GB", "CUSTOM_Y"), False),
    ],
)
def test_a_provider_is_novas_by_what_only_nova_sets(traits, classes, novas):
    """DISK_GB alone may be a storage pool's."""
    assert Provider("u", "n", 0, traits=traits, inventories=dict.fromkeys(classes, VCPU)).is_nova_provider is novas


def server(status, vm_state):
    """A server in a state."""
    return Server("u", "n", status, vm_state, "", "h", "h", "p")


def test_soft_deleted_is_not_deleted():
    """It can be restored."""
    assert server("DELETED", "deleted").is_deleted
    assert server("DELETED", "active").is_deleted
    assert not server("SOFT_DELETED", "soft-delete").is_deleted


@pytest.mark.parametrize("status", ["queued", "running", "reverting", "confirming", "what-a-later-nova-invents"])
def test_a_move_is_open_unless_nova_is_known_to_be_done_with_it(status):
    """An unknown state is no permission."""
    assert Migration("u", "s", status, "resize", "a", "a", "b", "b").is_open


@pytest.mark.parametrize(
    "status", ["finished", "completed", "done", "confirmed", "reverted", "failed", "error", "cancelled"]
)
def test_a_move_is_settled_where_nova_writes_no_allocation_any_more(status):
    """`finished` waits for its owner."""
    assert not Migration("u", "s", status, "resize", "a", "a", "b", "b").is_open
