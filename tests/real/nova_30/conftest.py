"""The lab of this story."""

from __future__ import annotations

import pytest

from lab.openstack.cloud import Lab


@pytest.fixture(scope="session")
def lab():
    """compute-4 takes what moves away; the story brings the host that it breaks."""
    with Lab("30", ["compute-4"]) as lab:
        yield lab
