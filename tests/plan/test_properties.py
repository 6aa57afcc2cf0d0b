"""What holds for every plan, whatever Nova and Placement show: the pure part, over made-up snapshots."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placement_recovery.config import Config
from placement_recovery.plan.case import Request, Surroundings
from placement_recovery.plan.consumers import BLOCKED, DROP, KEEP, TRIM
from placement_recovery.plan.method import METHODS
from placement_recovery.plan.owners import UNKNOWN
from placement_recovery.plan.plan import NEEDS_APPROVAL, READY, REFUSED, make_plan, matches_digest
from placement_recovery.plan.report import next_step, render, summary
from testkit.generated import ELSEWHERE, HOST, NODE, STALE, snapshots

requests = st.builds(
    Request, method=st.sampled_from(METHODS), unknown=st.sampled_from(["keep", "drop"]), automatic=st.booleans(),
)
# The same examples in each run, so that a failure is somebody's change and not chance.
quick = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def plan_of(snapshot, request=None, **around):
    """A plan under a configuration that lets safe plans run."""
    config = Config.from_mapping({"automation": "when_safe"})
    around = Surroundings(**{"compute_api": (2, 95), "reparents": True, **around})
    return make_plan(snapshot, request or Request(), config, around)


@quick
@given(snapshots(), requests)
def test_every_consumer_gets_exactly_one_decision(snapshot, request_):
    """None is forgotten, none is invented, and each has its evidence and its part."""
    plan = plan_of(snapshot, request_)
    assert [one.consumer for one in plan.decisions] == sorted(snapshot.consumers, key=lambda found: found.uuid)
    for one, shown in zip(plan.decisions, plan.to_dict()["decisions"]):
        assert one.disposition in (KEEP, TRIM, DROP, BLOCKED)
        assert one.evidence
        assert shown["resources"] == {STALE: one.consumer.allocations[STALE]}
        assert set(shown["elsewhere"]) == set(one.consumer.allocations) & set(ELSEWHERE)


@quick
@given(snapshots(), requests)
def test_nothing_that_is_blocked_is_ever_ready(snapshot, request_):
    """Not by approval either."""
    plan = plan_of(snapshot, request_)
    again = plan_of(snapshot, replace(request_, approve=plan.digest))
    if plan.with_disposition(BLOCKED):
        assert (plan.state, again.state) == (REFUSED, REFUSED)
    assert again.state in (REFUSED, READY)


@quick
@given(snapshots(), st.sampled_from(["keep", "drop"]))
def test_discard_keeps_nothing(snapshot, unknown):
    """And is never safe."""
    plan = plan_of(snapshot, Request(method="discard", unknown=unknown))
    assert plan.with_disposition(KEEP) == ()
    assert plan.capacity == ()
    assert plan.state in (REFUSED, NEEDS_APPROVAL)


@quick
@given(snapshots(), requests.filter(lambda one: one.method != "discard"))
def test_no_method_but_discard_takes_from_a_server_that_lives_here(snapshot, request_):
    """It is kept, or the plan is refused."""
    for one in plan_of(snapshot, request_).decisions:
        server = snapshot.owners.servers.get(one.uuid)
        if server and (server.host, server.node) == (HOST, NODE):
            assert one.disposition in (KEEP, BLOCKED)


@quick
@given(snapshots(), requests)
def test_what_is_dropped_holds_nothing_else(snapshot, request_):
    """Whoever holds another provider is trimmed, so that it keeps that."""
    for one in plan_of(snapshot, request_).decisions:
        elsewhere = set(one.consumer.allocations) & set(ELSEWHERE)
        assert one.disposition != DROP or not elsewhere
        assert one.disposition != TRIM or elsewhere


@quick
@given(snapshots(), requests)
def test_a_move_under_way_is_never_ready(snapshot, request_):
    """Of whatever server that Nova still has."""
    under_way = [move for move in snapshot.owners.migrations if move.is_open]
    if any(move.server_uuid in snapshot.owners.servers for move in under_way):
        assert plan_of(snapshot, request_).state == REFUSED


@quick
@given(snapshots())
def test_an_unknown_consumer_never_goes_without_approval(snapshot):
    """Kept by default, and by request only what is nothing but Nova's."""
    assert all(one.disposition == KEEP for one in plan_of(snapshot).decisions if one.kind == UNKNOWN)
    plan = plan_of(snapshot, Request(unknown="drop"))
    gone = [one for one in plan.decisions if one.kind == UNKNOWN and one.disposition in (DROP, TRIM)]
    held = {one.uuid: one for one in snapshot.consumers}
    for one in gone:
        assert one.unproven
        assert held[one.uuid].type != "ZUN"
        assert all("CUSTOM_THING" not in part for part in held[one.uuid].allocations.values())
    assert not gone or plan.state in (REFUSED, NEEDS_APPROVAL)


@quick
@given(snapshots(), requests, st.randoms(use_true_random=False))
def test_the_order_of_what_was_read_changes_nothing(snapshot, request_, chance: random.Random):
    """Digest and decisions are those of the same state."""
    consumers, moves = list(snapshot.consumers), list(snapshot.owners.migrations)
    servers = list(snapshot.owners.servers.items())
    for items in (consumers, moves, servers):
        chance.shuffle(items)
    owners = replace(snapshot.owners, servers=dict(servers), migrations=tuple(moves))
    shuffled = replace(snapshot, consumers=tuple(consumers), owners=owners, hypervisors=snapshot.hypervisors[::-1])
    plan, other = plan_of(snapshot, request_), plan_of(shuffled, request_)
    assert (plan.digest, plan.decisions, plan.state) == (other.digest, other.decisions, other.state)


@quick
@given(snapshots(), requests, st.integers(1, 1000))
def test_generations_are_not_part_of_the_digest(snapshot, request_, more):
    """Providers' and consumers'."""
    provider = snapshot.provider_by_name
    later = replace(
        snapshot,
        provider_by_name=replace(provider, generation=provider.generation + more),
        consumers=tuple(replace(one, generation=one.generation + more) for one in snapshot.consumers),
    )
    assert plan_of(later, request_).digest == plan_of(snapshot, request_).digest


@quick
@given(snapshots(), requests)
def test_another_amount_of_anyone_is_another_digest(snapshot, request_):
    """What is approved is approved to the unit."""
    for index, one in enumerate(snapshot.consumers):
        part = {name: amount + 1 for name, amount in one.allocations[STALE].items()}
        changed = list(snapshot.consumers)
        changed[index] = one.holding({**one.allocations, STALE: part})
        other = plan_of(replace(snapshot, consumers=tuple(changed)), request_)
        assert other.digest != plan_of(snapshot, request_).digest


@quick
@given(snapshots(), requests)
def test_a_plan_is_plain_json(snapshot, request_):
    """For a result, a log, a record; and it can be shown."""
    plan = plan_of(snapshot, request_)
    assert json.loads(json.dumps(plan.to_dict()))["state"] == plan.state
    assert plan.digest[:8] in render(plan)
    assert HOST in summary(plan)
    assert bool(next_step(plan)) == (plan.state in (READY, NEEDS_APPROVAL))


@quick
@given(snapshots())
def test_a_plan_is_a_function_of_what_it_is_made_from(snapshot):
    """Made twice, it is the same."""
    assert plan_of(snapshot) == plan_of(snapshot)


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("123456789012", True), ("12345678", True), ("123456", True), ("12345", False), ("", False), ("      ", False),
        ("1234567890123", False), ("023456", False), ("1.23457e5", False),
    ],
)
def test_a_digest_may_be_all_digits(typed, fits):
    """It is text all the same."""
    assert matches_digest(typed, "123456789012") is fits


def test_leading_zeros_count():
    """A digest that was read as a number is not accepted."""
    assert matches_digest("000123", "000123456789")
    assert not matches_digest("123456", "000123456789")
