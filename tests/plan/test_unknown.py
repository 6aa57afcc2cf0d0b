"""Consumers of whom Nova knows nothing: kept, refused, or dropped by approval, on the real services."""

from __future__ import annotations

import pytest

from testkit.cloud import new_name
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.planner import decision, elsewhere, outcome, refusal
from testkit.rows import new_uuid

UNKNOWN = "no server, no deleted server, no instance action and no migration has this UUID"


def stranger(cloud, stale, resources=ONE_SERVER, consumer_type="", elsewhere=""):
    """A consumer that no part of Nova knows."""
    uuid = new_uuid()
    parts = {stale.stale_uuid: resources, **({elsewhere: ONE_SERVER} if elsewhere else {})}
    cloud.allocate(uuid, parts, consumer_type=consumer_type)
    return uuid


def test_an_unknown_consumer_is_kept_and_reported(cloud, planner):
    """Nothing is lost by keeping; the plan tells what it may be and what to type."""
    stale = cloud.stale_host(servers=1)
    unknown = stranger(cloud, stale)
    plan = planner.plan(stale.host)
    assert outcome(plan, unknown) == ("unknown", "keep", "ready")
    told = f"{UNKNOWN}; likely the leftover of a failed move; kept (unknown=drop takes it away)"
    assert decision(plan, unknown).evidence == told
    assert f"unknown consumer {unknown} is kept: {told}" in plan.notes


def test_an_archived_server_is_unknown(cloud, planner):
    """Nova forgot it altogether."""
    stale = cloud.stale_host(servers=1)
    cloud.delete_server(stale.servers[0])
    cloud.archive_server(stale.servers[0])
    assert outcome(planner.plan(stale.host), stale.servers[0]) == ("unknown", "keep", "ready")


def test_discard_refuses_an_unknown_consumer(cloud, planner):
    """It would take the allocation from an owner that nobody asked."""
    stale = cloud.stale_host(servers=1)
    unknown = stranger(cloud, stale)
    plan = planner.plan(stale.host, method="discard")
    assert outcome(plan, unknown) == ("unknown", "blocked", "refused")
    expected = f"{UNKNOWN}; discard would take it from its owner, whoever that is. Use preserve, which keeps it, or"
    assert expected in refusal(plan)


@pytest.mark.parametrize("method", ["preserve", "discard"])
def test_an_unknown_consumer_is_dropped_on_request_by_approval(cloud, planner, method):
    """Listed one by one."""
    stale = cloud.stale_host(servers=0)
    unknown = sorted(stranger(cloud, stale) for _ in range(2))
    plan = planner.plan(stale.host, method=method, unknown="drop")
    for one in unknown:
        assert outcome(plan, one) == ("unknown", "drop", "needs_approval")
        assert any(told.startswith(f"unknown {one} goes without proof: ") for told in plan.approvals)
    assert planner.plan(stale.host, method=method, unknown="drop", approve=plan.digest).state == "ready"


def test_an_unknown_consumer_keeps_what_it_holds_elsewhere(cloud, planner):
    """Only its part here is dropped."""
    stale, other = cloud.stale_host(servers=0), cloud.healthy_host()
    unknown = stranger(cloud, stale, elsewhere=other.uuid)
    plan = planner.plan(stale.host, unknown="drop")
    assert outcome(plan, unknown) == ("unknown", "trim", "needs_approval")
    assert elsewhere(plan, unknown) == [other.uuid]


@pytest.mark.parametrize("method", ["preserve", "discard"])
def test_a_foreign_resource_class_is_never_dropped(cloud, planner, method):
    """Blazar's, Cyborg's and other people's: the service that made it has to remove it."""
    inventories = {**NOVA_INVENTORIES, "CUSTOM_RESERVATION_X": 1}
    stale = cloud.stale_host(servers=0, inventories=inventories)
    unknown = stranger(cloud, stale, {"CUSTOM_RESERVATION_X": 1})
    plan = planner.plan(stale.host, method=method, unknown="drop")
    assert outcome(plan, unknown) == ("unknown", "blocked", "refused")
    assert "it holds CUSTOM_RESERVATION_X, which is not nova's" in refusal(plan)


def test_a_foreign_class_on_another_provider_counts_too(cloud, planner):
    """Nova's classes here, an accelerator there: not a leftover of Nova's."""
    stale = cloud.stale_host(servers=0)
    card = cloud.provider(new_name(), inventories={"FPGA": 1}, traits=())
    unknown = new_uuid()
    cloud.allocate(unknown, {stale.stale_uuid: ONE_SERVER, card: {"FPGA": 1}})
    assert outcome(planner.plan(stale.host, unknown="drop"), unknown) == ("unknown", "blocked", "refused")


def test_a_foreign_consumer_type_is_never_dropped(cloud, planner):
    """Though it holds nothing but Nova's classes."""
    stale = cloud.stale_host(servers=0)
    unknown = stranger(cloud, stale, consumer_type="ZUN_CONTAINER")
    kept, dropped = planner.plan(stale.host), planner.plan(stale.host, unknown="drop")
    assert outcome(kept, unknown) == ("unknown", "keep", "ready")
    assert "likely the leftover" not in decision(kept, unknown).evidence
    assert outcome(dropped, unknown) == ("unknown", "blocked", "refused")
    assert "consumer type ZUN_CONTAINER" in refusal(dropped)


@pytest.mark.parametrize("consumer_type", ["INSTANCE", "MIGRATION"])
def test_the_types_that_nova_may_write_are_no_foreign_ones(cloud, planner, consumer_type):
    """A leftover may bear its type."""
    stale = cloud.stale_host(servers=0)
    unknown = stranger(cloud, stale, consumer_type=consumer_type)
    assert outcome(planner.plan(stale.host, unknown="drop"), unknown) == ("unknown", "drop", "needs_approval")


def test_a_server_of_a_known_type_is_still_a_server(cloud, planner):
    """Who wrote its allocation does not matter."""
    stale = cloud.stale_host(servers=0)
    server = cloud.server(host=stale.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER}, consumer_type="INSTANCE")
    assert outcome(planner.plan(stale.host), server) == ("server", "keep", "ready")


def test_a_host_with_no_consumer_at_all_can_be_recovered(cloud, planner):
    """Only the name stands in the way."""
    plan = planner.plan(cloud.stale_host(servers=0).host)
    assert (plan.state, plan.decisions, plan.capacity) == ("ready", (), ())


def test_discard_gives_up_what_preserve_keeps(cloud, planner):
    """Dropped where it holds nothing else, trimmed where it does; always by approval."""
    stale = cloud.stale_host(servers=1)
    pool = cloud.provider(new_name(), inventories={"DISK_GB": 10}, traits=())
    shared = cloud.server(host=stale.host)
    cloud.allocate(shared, {stale.stale_uuid: ONE_SERVER, pool: {"DISK_GB": 1}})
    plan = planner.plan(stale.host, method="discard")
    assert outcome(plan, stale.servers[0]) == ("server", "drop", "needs_approval")
    assert outcome(plan, shared) == ("server", "trim", "needs_approval")
    assert decision(plan, shared).evidence == f"ACTIVE on {stale.host}; given up by discard"
    expected = "discard takes the host's part away from all 2 consumers (1 hold nothing else)"
    assert plan.approvals[0].startswith(f"{expected}; its 2 running servers go on without allocations")
    assert planner.plan(stale.host, method="discard", approve=plan.digest).state == "ready"
