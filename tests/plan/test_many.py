"""A host with 500 consumers, on the real services."""

from __future__ import annotations

import pytest

from placement_recovery.plan.report import render
from testkit.placement import ONE_SERVER
from testkit.planner import elsewhere
from testkit.rows import new_uuid

PART = {"MEMORY_MB": 64}


@pytest.mark.long
def test_a_host_with_five_hundred_consumers_is_planned(cloud, planner):
    """Of several kinds, each decided."""
    stale, home = cloud.stale_host(servers=470, resources=PART), cloud.healthy_host()
    for server in stale.servers[:10]:
        cloud.delete_server(server)
    for server in stale.servers[10:15]:
        cloud.set_server(server, host=home.host, node=home.node)
        cloud.allocate(server, {stale.stale_uuid: PART, home.uuid: ONE_SERVER})
    cloud.allocate_new([new_uuid() for _ in range(30)], {stale.stale_uuid: PART})
    plan = planner.plan(stale.host)
    assert len(plan.decisions) == 500
    counts = {verb: len(plan.with_disposition(verb)) for verb in ("keep", "trim", "drop", "blocked")}
    assert counts == {"keep": 485, "trim": 5, "drop": 10, "blocked": 0}
    assert plan.state == "ready"
    assert [(one.resource_class, one.needed) for one in plan.capacity] == [("MEMORY_MB", 64 * 485)]
    assert elsewhere(plan, stale.servers[12]) == [home.uuid]
    assert len(render(plan).splitlines()) < 1600
