"""A nova-compute that is down is left alone; one that hangs is restarted when its own periodic does not come."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults
from lab.waiting import wait_until
from testkit.operator import moved, said

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST = "compute-3"


@pytest.fixture(scope="module")
def story(operator):
    """Tried while the service is down; then nova-compute hangs in a run without a restart, and in one with it."""
    client, lab = operator.client, operator.lab
    servers = client.boot_many(["live-1", "live-2"], HOST)
    fault = faults.database(lab, HOST)
    before = operator.holders(fault.stale_uuid)
    lab.stop_compute(HOST)
    wait_until(f"nova takes {HOST} for down", lambda: client.service(HOST)["state"] == "down", 120)
    down = operator.run("recover_host", host=HOST)
    untouched = operator.holders(fault.stale_uuid)
    lab.start_compute(HOST)
    wait_until(f"nova takes {HOST} for up", lambda: client.service(HOST)["state"] == "up", 60)

    def hang(event):
        if (event["event"], event.get("path", [""])[-1]) == ("started", "delete_allocations"):
            lab.pause(HOST)

    impatient = operator.configured(restart_how="never", periodic_wait=1, provider_wait=2)
    failed = impatient.run("recover_host", hang, host=HOST, method="preserve")
    service, process = client.service(HOST), lab.process(HOST).pid
    resumed = operator.configured(periodic_wait=1).resume(failed.output["recovery_id"])
    return SimpleNamespace(
        servers=servers, fault=fault, before=before, down=down, untouched=untouched, failed=failed, service=service,
        process=process, resumed=resumed,
    )


def test_a_service_that_is_down_is_refused(story):
    """The run fails, and nothing has changed."""
    assert (story.down.status, story.down.output["state"]) == ("failed", "refused")
    assert f"the compute service of {HOST} is down" in story.down.output["summary"]
    assert story.untouched == story.before


def test_an_acceptance_that_does_not_come_fails_the_run(story):
    """The run says what was waited for, and how to go on; the host stays disabled until then."""
    assert story.failed.status == "failed"
    assert f"nova-compute on {HOST} has not accepted its provider" in story.failed.output["summary"]
    assert f"resume_recovery recovery_id={story.failed.output['recovery_id']}" in story.failed.output["summary"]
    assert story.service["status"] == "disabled"


def test_the_configured_command_restarts_it(story, operator):
    """It is another process now, which accepted the provider at its start."""
    assert "no restart" not in said(story.resumed, "restart_nova_compute")
    assert operator.lab.process(HOST).pid != story.process


def test_every_server_holds_what_it_held(story, operator):
    """The same amounts, on the new provider; and the service is enabled."""
    expected = moved(story.before, story.fault.stale_uuid, story.fault.new_uuid)
    assert operator.holders(story.fault.new_uuid) == expected
    assert operator.client.service(HOST)["status"] == "enabled"
