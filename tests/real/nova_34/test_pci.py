"""transplant on a host whose PCI devices nova itself reports as providers below its root."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults
from lab.openstack.control import Resources
from lab.waiting import wait_until
from testkit.operator import moved
from testkit.transplant_stories import recover_watched
from testkit.transplants import SHORT_INTERVALS, children, errors, errors_in_periodics

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST = "compute-10"
HOST_OPTIONS = SHORT_INTERVALS
DEVICES = ("0000:81:00.0", "0000:82:00.0", "0000:83:00.0", "0000:84:00.0")
DEVICE = {"CUSTOM_PCI_8086_1572": 1}


@pytest.fixture(scope="module")
def host(operator):
    """Four devices, of which two servers have one each."""
    operator.lab.report_resources(HOST, Resources(pci=DEVICES))
    operator.lab.restart_compute(HOST)
    wait_until("each device has its provider", lambda: len(children(operator.client, HOST)) == len(DEVICES), 60)
    operator.client.boot_many(("pci-1", "pci-2"), HOST, flavor="pci")
    return HOST


@pytest.fixture(scope="module")
def story(operator, host):
    """The recovery while all is looked at and others boot; then one server more with a device, and a restart."""
    client, lab = operator.client, operator.lab
    fault = faults.database(lab, host)
    seen = recover_watched(operator, fault)
    late = client.boot("late", host, flavor="pci")
    held = client.allocations(late)
    client.delete(late)
    lab.stop_compute(host)
    log = lab.mark(host)
    lab.start_compute(host)
    return SimpleNamespace(seen=seen, fault=fault, late=held, errors=[*errors(log), *errors_in_periodics(lab, host)])


def test_no_look_at_any_consumer_finds_a_gap(story):
    """Root and device are held in one write."""
    assert story.seen.watch.gaps == []
    assert story.seen.watch.samples > 100


def test_servers_keep_their_devices(story):
    """The devices' providers have the same UUIDs and hold the same servers, below the new root."""
    new, below = story.fault.new_uuid, story.seen.below
    expected = moved(story.seen.before, story.fault.stale_uuid, new)
    assert {uuid: story.seen.after[uuid] for uuid in expected} == expected
    held = [uuid for parts in story.seen.before.values() for uuid in parts if parts[uuid] == DEVICE]
    assert len(set(held)) == 2
    assert set(held) <= {uuid for uuid, _ in below.values()}


def test_each_device_is_below_the_new_root(story, operator):
    """Also one that is free."""
    expected = {name: (uuid, story.fault.new_uuid) for name, (uuid, _) in story.seen.below.items()}
    assert set(expected) == {f"{HOST}_{one}" for one in DEVICES}
    assert children(operator.client, HOST) == expected


def test_a_new_server_gets_a_free_device(story):
    """On the new root, and of a child that was moved."""
    free = {uuid for uuid, _ in story.seen.below.values()} - {
        uuid for parts in story.seen.before.values() for uuid in parts
    }
    assert {uuid for uuid, part in story.late.items() if part == DEVICE} <= free
    assert story.fault.new_uuid in story.late
    assert len(story.late) == 2


def test_nova_compute_logs_no_error_afterwards(story):
    """In three periodics, and in three more after a restart."""
    assert story.seen.errors == []
    assert story.errors == []
