"""The tally, and proxies before Placement and nova-api."""

from __future__ import annotations

import pytest

from testkit.chaos.tally import TALLY


@pytest.fixture
def tally():
    """The tally of the whole session; the test fails where a point of its own did."""
    before = len(TALLY.failed)
    yield TALLY
    failed = TALLY.failed[before:]
    assert not failed, "\n".join(failed)


@pytest.fixture(scope="module")
def roads(cloud):
    """The ways to the services, each with a proxy on it."""
    from testkit.chaos.roads import Roads

    with Roads(cloud) as roads:
        yield roads
