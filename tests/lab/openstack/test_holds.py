"""Periodics of a real nova-compute, old and new: held at each point, and counted."""

from __future__ import annotations

import pytest

from lab.openstack import faults
from lab.openstack.cloud import Lab
from lab.openstack.control import POINTS
from lab.waiting import LabError

HOST = "compute-0"
pytestmark = pytest.mark.lab


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


def rename(lab, provider, name):
    """As a recovery moves a stale provider out of the way."""
    lab.client.placement("PUT", f"/resource_providers/{provider}", {"name": name})


def traits(lab, provider):
    """The traits of a provider."""
    return set(lab.client.placement("GET", f"/resource_providers/{provider}/traits")["traits"])


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


def test_an_unknown_point_is_refused(lab):
    """With those there are."""
    with pytest.raises(LabError, match=f"no point 'lunch'.*{', '.join(POINTS)}"):
        lab.hold(HOST, "lunch")
