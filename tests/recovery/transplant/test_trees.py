"""transplant of a host with children: they move with the root, and keep UUIDs, names, settings and allocations."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

import pytest

from placement_recovery.recovery.engine import run_step
from testkit.driving import Killed, Meddler, begin, go_on, roll_back, watched
from testkit.looks import enabled, holdings, lock_traits, moved
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.placement_tables import placement_tables
from testkit.rows import new_uuid
from testkit.sampling import sampled

REPLACE = "replace_resource_provider"
VGPU = {"VGPU": 1}


class Tree(NamedTuple):
    """A stale host with children; `kept` hold the root and children, or a child alone, and so do `gone`, left over."""

    stale: Any
    gpu: str
    agent: str
    nic: str
    kept: Tuple[str, ...]
    gone: Tuple[str, ...]

    @property
    def children(self) -> Tuple[str, ...]:
        """All of them, the grandchild last."""
        return (self.gpu, self.agent, self.nic)


@pytest.fixture
def tree(cloud):
    """A vGPU of nova's, and an agent of Neutron's with a NIC below it; some hold parts on other hosts too."""
    return make_tree(cloud)


def make_tree(cloud: Any, **more: Any) -> Tree:
    """The same, of a host with these options."""
    stale, elsewhere = cloud.stale_host(servers=1, **more), cloud.healthy_host()
    node, rack = stale.node, ("CUSTOM_RACK_7",)
    agent = cloud.provider(f"{node}:Open vSwitch agent", parent=stale.stale_uuid, inventories={}, traits=())
    gpu = cloud.provider(f"{node}_pci_0000_84_00_0", parent=stale.stale_uuid, inventories={"VGPU": 8}, traits=rack)
    nic = cloud.provider(
        f"{node}:Open vSwitch agent:br-ex", parent=agent, inventories={"NET_BW_EGR_KILOBIT_PER_SEC": 1000}, traits=()
    )
    servers = {name: cloud.server(host=stale.host) for name in ("vgpu", "nic", "spread", "gone", "half gone")}
    root, band = {stale.stale_uuid: ONE_SERVER}, {nic: {"NET_BW_EGR_KILOBIT_PER_SEC": 100}}
    cloud.allocate(servers["vgpu"], {**root, gpu: VGPU})
    cloud.allocate(servers["nic"], {**root, **band})
    cloud.allocate(servers["spread"], {**root, gpu: VGPU, **band, elsewhere.uuid: {"DISK_GB": 7}})
    cloud.allocate(servers["gone"], {**root, gpu: VGPU})
    cloud.allocate(servers["half gone"], {gpu: VGPU})
    gone = (servers["gone"], servers["half gone"])
    for one in gone:
        cloud.delete_server(one)
    accelerated = new_uuid()  # of somebody else's, and on a child alone
    cloud.allocate(accelerated, {gpu: VGPU})
    kept = (*stale.servers, servers["vgpu"], servers["nic"], servers["spread"], accelerated)
    return Tree(stale, gpu, agent, nic, kept, gone)


def parents(cloud: Any, tree: Tree) -> Dict[str, str]:
    """Each child's name and parent."""
    shown = [cloud.show_provider(one) for one in tree.children]
    return {one["name"]: one["parent_provider_uuid"] for one in shown}


def assert_moved(cloud: Any, tree: Tree, journal: Any, before: Any, below: Any, settings: Any) -> None:
    """The children stand below the new root as below the stale one, and everybody holds what he held."""
    stale = tree.stale
    assert journal.progress.state == "finished"
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert holdings(cloud, tree.gone) == {one: {} for one in tree.gone}
    expected = {name: stale.compute_uuid if one == stale.stale_uuid else one for name, one in below.items()}
    assert parents(cloud, tree) == expected
    assert carried(cloud, tree) == settings
    assert cloud.show_provider(stale.stale_uuid) is None
    assert cloud.service(stale.host) == enabled()
    assert lock_traits(cloud, journal.saved.id) == []


def carried(cloud: Any, tree: Tree) -> Any:
    """What each child carries."""
    return {one: (cloud.inventories(one), cloud.traits(one), cloud.aggregates(one)) for one in tree.children}


def look(cloud: Any, tree: Tree) -> Tuple[Any, Any, Any]:
    """What has to be the same afterwards."""
    return holdings(cloud, tree.kept), parents(cloud, tree), carried(cloud, tree)


def test_children_keep_uuids_settings_and_allocations(cloud, context, finish, tree):
    """Also one whose consumer holds nothing of the root; what deleted servers held of a child goes."""
    seen = look(cloud, tree)
    recovery_id = begin(context, tree.stale.host, "transplant")
    assert_moved(cloud, tree, finish(context, tree.stale, recovery_id), *seen)


def test_nothing_comes_between_and_novas_children_are_first(cloud, context, tree):
    """From the rename to the first inventories: nova-compute's periodic may look at any moment."""
    recovery_id, meddler = begin(context, tree.stale.host, "transplant"), Meddler()
    go_on(context, recovery_id, before=REPLACE)
    run_step(watched(context, meddler), recovery_id, REPLACE)
    writes = [(one.method, one.path) for one in meddler.sent]
    root, below = f"/resource_providers/{tree.stale.compute_uuid}", "/resource_providers/"
    first = writes.index(("PUT", f"{below}{tree.stale.stale_uuid}"))
    assert writes[first + 1:first + 6] == [
        ("POST", "/resource_providers"), ("PUT", below + tree.gpu), ("PUT", below + tree.agent),
        ("PUT", f"{root}/traits"), ("PUT", f"{root}/inventories"),
    ]


def test_pinned_cpus_come_before_the_children(cloud, context):
    """libvirt takes a root without PCPU for one that wants to be reshaped."""
    tree, meddler = make_tree(cloud, inventories={**NOVA_INVENTORIES, "PCPU": 8}), Meddler()
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    run_step(watched(context, meddler), recovery_id, REPLACE)
    writes = [one.path for one in meddler.sent if one.method == "PUT"]
    inventories = f"/resource_providers/{tree.stale.compute_uuid}/inventories"
    assert writes.index(inventories) < writes.index(f"/resource_providers/{tree.gpu}")


@pytest.mark.parametrize("passing", sampled([3, 0, 1, 2]), ids=["both children", "rename", "root", "one child"])
def test_it_is_resumed_after_a_kill_within_the_burst(cloud, context, finish, tree, passing):
    """A kill after each of its first requests."""
    seen, meddler = look(cloud, tree), Meddler()
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    if passing == 1:
        meddler.after("POST", "/resource_providers", Killed.die, 0)
    else:
        meddler.after("PUT", "/resource_providers/", Killed.die, {0: 0, 2: 1, 3: 2}[passing])
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, REPLACE)
    assert_moved(cloud, tree, finish(context, tree.stale, recovery_id), *seen)


@pytest.mark.parametrize("until", sampled(["move_allocations", REPLACE]))
def test_a_rollback_gives_the_children_back(cloud, context, tree, until):
    """Row by row."""
    before = placement_tables(cloud)
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, until=until)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
    assert context.journal(recovery_id).progress.state == "rolled_back"


@pytest.mark.long
def test_a_rollback_gives_the_children_back_after_a_kill_within_the_burst(cloud, context, tree):
    """One child stands below each root."""
    before, meddler = placement_tables(cloud), Meddler()
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    meddler.after("PUT", "/resource_providers/", Killed.die, 1)
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, REPLACE)
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before


def test_nova_makes_the_root_in_the_instant_of_our_post(cloud, context, finish, tree):
    """The children are put below nova's."""
    seen, meddler = look(cloud, tree), Meddler()
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    meddler.after(
        "PUT", f"/resource_providers/{tree.stale.stale_uuid}",
        lambda: cloud.provider(tree.stale.node, tree.stale.compute_uuid, inventories={}, traits=()),
    )
    run_step(watched(context, meddler), recovery_id, REPLACE)
    assert_moved(cloud, tree, finish(context, tree.stale, recovery_id), *seen)


def test_a_part_of_a_child_that_others_stripped_is_set_as_saved(cloud, context, finish, tree):
    """`placement audit --delete` takes a live server's part of a root that is set aside for an orphan."""
    seen = look(cloud, tree)
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    cloud.allocate(tree.kept[1], {})
    assert_moved(cloud, tree, finish(context, tree.stale, recovery_id), *seen)


@pytest.mark.long
def test_the_uuid_changes_again_and_the_children_follow(cloud, context, finish, tree):
    """The root that was made for the former UUID is set aside too."""
    stale = tree.stale
    before, below, settings = look(cloud, tree)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    newest = new_uuid()
    cloud.set_compute_node(stale.host, uuid=newest)
    assert_moved(cloud, tree._replace(stale=stale._replace(compute_uuid=newest)),
                 finish(context, stale, recovery_id), before, below, settings)


def test_a_child_that_came_meanwhile_moves_along(cloud, context, finish, tree):
    """An agent of Neutron's that starts after the plan was made."""
    seen = look(cloud, tree)
    recovery_id = begin(context, tree.stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    late = cloud.provider(f"{tree.stale.node}:SR-IOV", parent=tree.stale.stale_uuid, inventories={}, traits=())
    assert_moved(cloud, tree, finish(context, tree.stale, recovery_id), *seen)
    assert cloud.show_provider(late)["parent_provider_uuid"] == tree.stale.compute_uuid


@pytest.mark.long
def test_two_hundred_consumers_of_twenty_children(cloud, context, finish):
    """Every allocation, trait, aggregate and inventory is as before, row by row, but for the root's UUID."""
    tree = make_tree(cloud, inventories={"VCPU": 500, "MEMORY_MB": 500000, "DISK_GB": 5000})
    stale, children = tree.stale, []
    for number in range(17):
        parent = children[-1] if number % 4 == 3 else stale.stale_uuid
        children.append(
            cloud.provider(f"{stale.node}_pci_{number}", parent=parent, inventories={"VGPU": 50},
                           traits=[f"CUSTOM_{number}"], aggregates=[new_uuid()])
        )
    for number, server in enumerate(cloud.servers(195, host=stale.host, node=stale.node)):
        cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, children[number % 17]: VGPU})
    for one in tree.gone:
        cloud.allocate(one, {})
    before = placement_tables(cloud)
    finish(context, stale, begin(context, stale.host, "transplant"))
    after = placement_tables(cloud)
    # nova-compute's own mark, which it takes away at its next periodic.
    after["traits"] = [row for row in after["traits"] if row != (stale.compute_uuid, "COMPUTE_STATUS_DISABLED")]
    assert after == as_if(before, stale.stale_uuid, stale.compute_uuid)


def as_if(tables: Any, old: str, new: str) -> Any:
    """The same rows with another UUID."""
    return {
        table: sorted((tuple(new if one == old else one for one in row) for row in rows), key=repr)
        for table, rows in tables.items()
    }
