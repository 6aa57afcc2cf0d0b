"""transplant on a real nova-compute: no server is ever without its allocation, and no periodic does harm."""

from __future__ import annotations

import pytest

from lab.openstack import faults
from testkit.transplant_stories import HeldPeriodics, NovaComputeStopped, ServersRunning, recover_watched
from testkit.transplants import INTERVAL_SECONDS

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST, ELSEWHERE = "compute-9", "compute-4"
HOST_OPTIONS = {"DEFAULT": {"update_resources_interval": INTERVAL_SECONDS}}
NAMES = ("live-1", "live-2", "live-3", "moved")


@pytest.fixture(scope="module")
def elsewhere():
    """A host that takes what moves away."""
    return ELSEWHERE


@pytest.fixture(scope="module")
def host(operator):
    """A host with three servers, and with the source part of a move that is not confirmed."""
    servers = operator.client.boot_many(NAMES, HOST)
    operator.client.migrate(servers["moved"], ELSEWHERE)
    return HOST


@pytest.fixture(scope="module")
def running(operator, host):
    """The recovery while servers run and others boot: its name flips."""
    return recover_watched(operator, faults.hostname_flip(operator.lab, host))


class TestServersRunning(ServersRunning):
    """On nova 26."""


class TestNovaComputeStopped(NovaComputeStopped):
    """On nova 26."""


class TestHeldPeriodics(HeldPeriodics):
    """On nova 26."""
