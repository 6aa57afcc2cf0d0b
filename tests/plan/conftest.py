"""Whatever is planned on the test cloud, nothing is written."""

from __future__ import annotations

import pytest

from tests.plan.planner import Planner, Writes


@pytest.fixture(scope="session")
def planner(cloud):
    """Plans on the test cloud."""
    return Planner(cloud)


def hosts(cloud):
    """The hosts of all nova-compute services."""
    return {found["host"] for found in cloud.nova.get("/os-services?binary=nova-compute")["services"]}


@pytest.fixture(autouse=True)
def _nothing_is_written(request):
    """Planning writes nothing, in any story: Placement's and nova-api's own logs show no request but GETs.

    A story's hosts go with it: nova-api needs 10 ms and more for each that it lists.
    """
    if "planner" not in request.fixturenames:
        yield
        return
    cloud = request.getfixturevalue("cloud")
    before, writes = hosts(cloud), Writes(cloud)
    yield
    found = writes.found()
    for host in hosts(cloud) - before:
        cloud.delete_compute(host)
    assert found == []
