"""The lab of these stories; each one breaks a host of its own."""

from __future__ import annotations

import pytest

from lab.openstack.cloud import Lab


@pytest.fixture(scope="session")
def lab():
    """compute-0 to compute-3 are to be broken, one a story; compute-4 takes what moves away."""
    with Lab("26", [f"compute-{number}" for number in range(5)]) as lab:
        yield lab
