"""Periodics of a real nova-compute, old and new: held at each point, counted, and with other resources to report."""

from __future__ import annotations

import pytest

from lab.openstack import faults
from lab.openstack.cloud import Lab
from lab.openstack.control import POINTS, Resources
from lab.waiting import LabError

HOST = "compute-0"
pytestmark = [pytest.mark.lab, pytest.mark.long]


@pytest.fixture(scope="module", params=["26", "34"])
def lab(request):
    """One host, for all stories of a release, with a periodic every two seconds."""
    options = {"DEFAULT": {"update_resources_interval": 2}}
    with Lab(request.param, computes=(HOST,), compute_options=options) as lab:
        yield lab


@pytest.fixture
def provider(lab):
    """The UUID of the host's healthy provider."""
    return lab.client.provider(HOST)["uuid"]


@pytest.fixture
def resources(lab):
    """Sets what the host reports, until the end of the story."""
    yield lambda **wanted: lab.report_resources(HOST, Resources(**wanted))
    lab.report_resources(HOST, Resources())
    lab.wait_for_periodics(HOST)


def rename(lab, provider, name):
    """As a recovery moves a stale provider out of the way."""
    lab.client.placement("PUT", f"/resource_providers/{provider}", {"name": name})


def traits(lab, provider):
    """The traits of a provider."""
    return set(lab.client.placement("GET", f"/resource_providers/{provider}/traits")["traits"])


def widen(lab, provider, ratio):
    """Sets the provider's ratio for VCPU at its present generation."""
    generation = lab.client.placement("GET", f"/resource_providers/{provider}")["generation"]
    inventories = lab.client.inventories(provider)
    inventories["VCPU"]["allocation_ratio"] = ratio
    body = {"resource_provider_generation": generation, "inventories": inventories}
    lab.client.placement("PUT", f"/resource_providers/{provider}/inventories", body)


def exists(lab, provider):
    """Whether Placement knows the provider."""
    return lab.client.send("placement", "GET", f"/resource_providers/{provider}").status == 200


def test_held_before_the_lookup_nova_creates_the_root_once_the_name_is_free(lab):
    """Until then each periodic fails, and names its exception."""
    fault = faults.database(lab, HOST)
    (failed,) = lab.wait_for_periodics(HOST)
    with lab.hold(HOST, "before-lookup") as held:
        held.wait()
        rename(lab, fault.stale_uuid, f"{HOST}.stale-1")
        assert not exists(lab, fault.new_uuid)
        periodic = held.release()

    assert failed.error.startswith(f"ResourceProviderCreationFailed: Failed to create resource provider {HOST}")
    assert periodic.error == ""
    assert lab.client.provider(HOST)["uuid"] == fault.new_uuid
    assert "COMPUTE_NODE" in traits(lab, fault.new_uuid)


def test_held_before_the_creation_nova_takes_a_root_that_was_made_after_its_look(lab):
    """It has seen none, its POST meets 409, and it goes on with what is there."""
    fault = faults.database(lab, HOST)
    with lab.hold(HOST, "before-creation") as held:
        held.wait()
        rename(lab, fault.stale_uuid, f"{HOST}.stale-2")
        lab.client.placement("POST", "/resource_providers", {"uuid": fault.new_uuid, "name": HOST})
        log = lab.mark(HOST)
        periodic = held.release()

    assert periodic.error == ""
    assert log.lines("Another thread already created a resource provider with the UUID")
    assert "COMPUTE_NODE" in traits(lab, fault.new_uuid)


def test_held_before_its_writes_nova_keeps_what_was_written_after_its_read(lab, provider, resources):
    """Its own write meets a conflict of generations, and it reads again."""
    resources(inventory={"CUSTOM_CHANGED": 1})  # or it would have nothing to write
    with lab.hold(HOST, "before-writes") as held:
        held.wait()
        widen(lab, provider, 3.5)
        assert "CUSTOM_CHANGED" not in lab.client.inventories(provider)
        log = lab.mark(HOST)
        periodic = held.release()

    inventories = lab.client.inventories(provider)
    assert periodic.error == ""
    assert log.lines("concurrent_update", "generation conflict")
    assert inventories["VCPU"]["allocation_ratio"] == 3.5
    assert inventories["CUSTOM_CHANGED"]["total"] == 1


def test_held_at_its_end_nova_has_written(lab, provider, resources):
    """One periodic is held, and the next one is not."""
    resources(inventory={"CUSTOM_LAST": 2})
    with lab.hold(HOST, "end") as held:
        number = held.wait()
        inventories = lab.client.inventories(provider)
        periodic = held.release()
        (following,) = lab.wait_for_periodics(HOST)

    assert inventories["CUSTOM_LAST"]["total"] == 2
    assert (periodic.number, periodic.error) == (number, "")
    assert following.number > number


def test_a_boot_is_not_held(lab):
    """It reads and writes the provider too, but is no periodic."""
    with lab.hold(HOST, "end") as held:
        held.wait()
        server = lab.client.boot("web", HOST)
        held.release()

    assert lab.client.allocations(server)
    lab.client.delete(server)


def test_a_hold_that_nobody_releases_ends_by_itself(lab):
    """The test may have died; one that lives is told that its hold is over."""
    with lab.hold(HOST, "before-writes", limit=0.5) as held:
        held.wait()
        lab.wait_for_periodics(HOST)
        with pytest.raises(LabError, match="hold of compute-0 at before-writes ended before it was released"):
            held.release()


def test_the_end_of_a_test_ends_its_hold(lab):
    """Long before the limit; until then no second one can ask for the point."""
    with lab.hold(HOST, "before-writes", limit=600) as held:
        held.wait()
        with pytest.raises(LabError, match="is held at before-writes by another test already"):
            lab.hold(HOST, "before-writes").__enter__()

    assert lab.wait_for_periodics(HOST)


def test_periodics_are_counted_with_their_errors_and_over_restarts(lab, provider):
    """None that ran at the call is among them."""
    before = lab.wait_for_periodics(HOST, 2)
    lab.restart_compute(HOST, hard=True)
    rename(lab, provider, f"{HOST}.renamed")
    (after,) = lab.wait_for_periodics(HOST)
    rename(lab, provider, HOST)

    assert [periodic.error for periodic in (*before, after)] == ["", "", ""]
    assert before[0].number < before[1].number < after.number


def test_a_host_reports_pcpus_classes_of_its_own_and_children(lab, provider, resources):
    """From its next periodic on; a total of nothing special is as before."""
    resources(inventory={"VCPU": 16, "PCPU": 4, "CUSTOM_FPGA": 2}, children={"pgpu0": {"VGPU": 8}})
    lab.wait_for_periodics(HOST)
    root = lab.client.inventories(provider)
    child = lab.client.provider(f"{HOST}_pgpu0")

    assert {name: root[name]["total"] for name in ("VCPU", "PCPU", "CUSTOM_FPGA")} == {
        "VCPU": 16, "PCPU": 4, "CUSTOM_FPGA": 2,
    }
    assert child["parent_provider_uuid"] == provider
    assert lab.client.inventories(child["uuid"])["VGPU"]["total"] == 8


def test_a_bare_root_of_a_host_with_pinned_guests_asks_for_a_reshape(lab, resources):
    """As libvirt's driver does when its root lacks PCPU."""
    fault = faults.database(lab, HOST)
    resources(inventory={"PCPU": 4}, pinned_guests=True)
    rename(lab, fault.stale_uuid, f"{HOST}.stale-3")
    (periodic,) = lab.wait_for_periodics(HOST)

    assert periodic.error.startswith("ReshapeNeeded")
    assert lab.client.inventories(fault.new_uuid) == {}


def test_an_unknown_point_is_refused(lab):
    """With those there are."""
    with pytest.raises(LabError, match=f"no point 'lunch'.*{', '.join(POINTS)}"):
        lab.hold(HOST, "lunch")
