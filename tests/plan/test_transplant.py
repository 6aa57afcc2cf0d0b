"""What speaks against a transplant, and what its plan says of what the new provider will carry."""

from __future__ import annotations

import pytest

from testkit.cloud import new_name
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.planner import refusal
from testkit.rows import new_uuid

BIG = {"VCPU": 8, "MEMORY_MB": 512}
OVER = {**NOVA_INVENTORIES, "VCPU": {"total": 16, "max_unit": 16}}


def transplant(planner, stale, **more):
    """The plan for this method."""
    return planner.plan(stale.host, method="transplant", **more)


def test_a_root_without_compute_node_is_refused_and_preserve_is_named(cloud, planner):
    """By that trait nova-compute shows that it has accepted a provider."""
    stale = cloud.stale_host(servers=1, traits=())
    told = refusal(transplant(planner, stale))
    assert f"the stale provider {stale.stale_uuid} lacks the trait COMPUTE_NODE" in told
    assert "method=preserve recovers it" in told


def test_a_nova_before_ussuri_is_refused_and_preserve_is_named(cloud, planner, monkeypatch):
    """There acceptance never shows."""
    stale = cloud.stale_host(servers=1)
    monkeypatch.setattr(planner.context.nova, "offered", (2, 79))
    told = refusal(transplant(planner, stale))
    assert "nova's compute API is 2.79, and before 2.87 (Ussuri)" in told
    assert "method=preserve recovers it" in told
    monkeypatch.setattr(planner.context.nova, "offered", (2, 87))
    assert transplant(planner, stale).state == "ready"


def test_children_move_along_where_placement_can_give_them_another_parent(cloud, planner, monkeypatch):
    """It can since Xena."""
    stale, child = cloud.stale_host(servers=1), new_name()
    cloud.provider(child, parent=stale.stale_uuid, inventories={"VGPU": 4}, traits=())
    plan = transplant(planner, stale)
    assert plan.state == "ready"
    assert f"1 child provider(s) move with the root and keep UUIDs and allocations: {child}" in plan.notes
    monkeypatch.setattr(planner.context.placement, "reparents", False)
    told = refusal(transplant(planner, stale))
    assert f"has children ({child}), and only Placement 6.0 (Xena, microversion 1.37) and later" in told


def test_bare_metal_is_refused(cloud, planner):
    """Ironic's providers are not ours."""
    stale = cloud.stale_host(servers=0, inventories={"CUSTOM_BAREMETAL_GOLD": 1})
    assert "is a bare-metal node" in refusal(transplant(planner, stale))


@pytest.mark.parametrize("below", [False, True], ids=["a root", "below another provider"])
def test_the_new_uuid_under_another_name_is_refused(cloud, planner, below):
    """Somebody made it; nova-compute would take it as it is."""
    stale, other = cloud.stale_host(servers=1), new_name()
    parent = cloud.provider(new_name(), inventories={}, traits=()) if below else ""
    cloud.provider(other, stale.compute_uuid, parent=parent, inventories={}, traits=())
    told = refusal(transplant(planner, stale))
    assert f"has its provider already, but under the name {other}" in told


def test_an_evacuation_is_not_asked_about(cloud, planner):
    """Nothing is restarted, so what is left of its guest on the host stays; preserve asks."""
    stale, other = cloud.stale_host(servers=1), cloud.healthy_host()
    away = cloud.server(host=other.host)
    cloud.migration(away, source_host=stale.host, dest_host=other.host, type="evacuation", status="done")
    cloud.allocate(away, {stale.stale_uuid: ONE_SERVER, other.uuid: ONE_SERVER})
    assert transplant(planner, stale).state == "ready"
    assert planner.plan(stale.host, method="preserve").state == "needs_approval"


def test_the_way_to_restart_is_not_tried(cloud, planner, tmp_path):
    """Nothing runs on the host: where the configuration fails, preserve alone needs approval."""
    stale, mark = cloud.stale_host(servers=1), tmp_path / "probed"
    config = {"restart_how": "command", "restart_where": "local", "restart_command": ["true"],
              "restart_probe_command": ["sh", "-c", f"touch {mark}; exit 1"]}
    assert transplant(planner, stale, config=config).state == "ready"
    assert not mark.exists()
    assert planner.plan(stale.host, method="preserve", config=config).state == "needs_approval"


def test_an_over_committed_host_is_not_refused(cloud, planner):
    """Its new provider is widened for the move."""
    stale = cloud.stale_host(servers=3, resources=BIG)
    cloud.set_inventories(stale.stale_uuid, OVER)
    plan = transplant(planner, stale)
    assert plan.state == "ready"
    assert any(note.startswith("VCPU of the host are over-committed") for note in plan.notes)
    assert planner.plan(stale.host, method="preserve").state == "refused"


def test_an_over_committed_provider_elsewhere_is_refused_with_the_numbers(cloud, planner, monkeypatch):
    """It is not ours to widen, and an old Placement refuses a part that exceeds it though it does not change."""
    stale = cloud.stale_host(servers=1)
    foreign, spread = cloud.provider(new_name(), inventories={"DISK_GB": 100}, traits=()), cloud.server(host=stale.host)
    cloud.allocate(spread, {stale.stale_uuid: {"VCPU": 1}, foreign: {"DISK_GB": 60}})
    assert transplant(planner, stale).state == "ready"
    cloud.set_inventories(foreign, {"DISK_GB": {"total": 100, "reserved": 50}})
    assert transplant(planner, stale).state == "ready"
    monkeypatch.setattr(planner.context.nova, "offered", (2, 100))
    told = refusal(transplant(planner, stale))
    assert f"consumer {spread} also holds provider {foreign}" in told
    assert "60 DISK_GB are held and 50 can be allocated" in told


def test_the_ratios_that_stay_are_noted(cloud, planner):
    """nova.conf has the last word, but not by its initial_ options."""
    (note,) = [one for one in transplant(planner, cloud.stale_host(servers=1)).notes if "allocation ratios" in one]
    assert "(VCPU 4) unless nova.conf sets *_allocation_ratio; initial_*_allocation_ratio does not apply" in note


def test_custom_classes_are_noted_and_one_in_use_is_a_warning(cloud, planner):
    """nova-compute removes the one, and may fail at its next start for the other."""
    inventories = {**NOVA_INVENTORIES, "CUSTOM_IDLE": 4, "CUSTOM_USED": 4}
    stale = cloud.stale_host(servers=1, inventories=inventories, resources={**ONE_SERVER, "CUSTOM_USED": 1})
    notes = transplant(planner, stale).notes
    assert any(one.startswith("CUSTOM_IDLE: nova-compute removes a custom class") for one in notes)
    (warning,) = [one for one in notes if one.startswith("CUSTOM_USED")]
    assert "fails at its next start" in warning
    assert f"See provider.yaml of {stale.host} before any restart" in warning


@pytest.fixture(scope="module")
def grouped(cloud):
    """A host whose root is in an aggregate that Nova does not know, in one that does not list it, but not in its own.

    nova-api finds a provider by its name, so it puts the stale root into the host's aggregate: that is taken away.
    """
    stale, unknown, names = cloud.stale_host(servers=1), new_uuid(), {}
    for what in ("lists", "lists not"):
        body = {"aggregate": {"name": new_name()}}
        names[what] = cloud.nova.call("POST", "/os-aggregates", body)["aggregate"]
    action = {"add_host": {"host": stale.host}}
    cloud.nova.call("POST", f"/os-aggregates/{names['lists']['id']}/action", action)
    cloud.set_aggregates(stale.stale_uuid, [unknown, names["lists not"]["uuid"]])
    yield stale, names["lists"]["name"], names["lists not"]["name"]
    action = {"remove_host": {"host": stale.host}}
    cloud.nova.call("POST", f"/os-aggregates/{names['lists']['id']}/action", action)


def test_aggregates_follow_nova_and_the_difference_is_noted_with_the_command(cloud, planner, grouped):
    """What Nova does not know is carried without a word."""
    stale, lists, lists_not = grouped
    notes = [one for one in transplant(planner, stale).notes if "aggregate" in one or "will be in" in one]
    assert notes == [
        f"nova no longer lists {stale.host} in aggregate {lists_not}, so the new provider will not be in it; if it "
        f"belongs there: 'openstack aggregate add host {lists_not} {stale.host}'",
        f"the new provider will be in {lists} too, where nova lists {stale.host}",
    ]
