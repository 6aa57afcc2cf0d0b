"""transplant on a real nova-compute: no server is ever without its allocation, and no periodic does harm."""

from __future__ import annotations

import pytest

from lab.openstack import faults
from testkit.transplant_stories import HeldPeriodics, NovaComputeStopped, ServersRunning
from testkit.transplants import SHORT_INTERVALS

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST = "compute-9"
HOST_OPTIONS = SHORT_INTERVALS
FAULT = faults.database


class TestServersRunning(ServersRunning):
    """On nova 32."""


class TestNovaComputeStopped(NovaComputeStopped):
    """On nova 32."""


class TestHeldPeriodics(HeldPeriodics):
    """On nova 32."""
