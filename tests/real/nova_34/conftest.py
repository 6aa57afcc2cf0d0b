"""The lab of these stories; each one breaks a host of its own."""

from __future__ import annotations

import pytest

from lab.openstack.cloud import Lab


@pytest.fixture(scope="session")
def lab():
    """compute-4 takes what moves away; each story brings the host that it breaks."""
    with Lab("34", ["compute-4"]) as lab:
        yield lab
