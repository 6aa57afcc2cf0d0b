"""The lab of these stories; each one breaks a host of its own."""

from __future__ import annotations

import pytest

from lab.openstack.cloud import Lab


@pytest.fixture(scope="session")
def lab():
    """compute-4 takes what moves away; each other one is to be broken, one a story."""
    with Lab("34", [f"compute-{number}" for number in range(6)]) as lab:
        yield lab
