"""Whatever is planned on the test cloud, nothing is written."""

from __future__ import annotations

import pytest

from testkit.planner import Planner, Writes


@pytest.fixture(scope="session")
def planner(cloud):
    """Plans on the test cloud."""
    return Planner(cloud)


@pytest.fixture(autouse=True)
def _nothing_is_written(request):
    """Planning writes nothing, in any story: Placement's and nova-api's own logs show no request but GETs.

    A story's hosts go with it: nova-api needs 10 ms and more for each that it lists.
    """
    if "planner" not in request.fixturenames:
        yield
        return
    cloud = request.getfixturevalue("cloud")
    before, writes = cloud.hosts(), Writes(cloud)
    yield
    found = writes.found()
    cloud.forget_hosts(but=before)
    assert found == []
