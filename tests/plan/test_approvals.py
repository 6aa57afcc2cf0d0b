"""Approval by digest, and what a trigger may start; on the real services."""

from __future__ import annotations

from testkit.cloud import new_name
from testkit.placement import ONE_SERVER
from testkit.planner import refusal
from testkit.rows import new_uuid


def discard(planner, host, **request):
    """A plan that always needs approval."""
    return planner.plan(host, method="discard", **request)


def test_a_digest_approves_the_plan_that_it_is_of(cloud, planner):
    """Typed whole, or shortened to 6 characters, in either case, with blanks around it."""
    host = cloud.stale_host(servers=2).host
    digest = discard(planner, host).digest
    for typed in (digest, digest[:8], digest[:6], digest.upper(), f" {digest[:7]}\n"):
        plan = discard(planner, host, approve=typed)
        assert (plan.state, plan.approved, plan.digest) == ("ready", True, digest)


def test_a_digest_that_is_too_short_or_another_ones_approves_nothing(cloud, planner):
    """The plan as it is now is shown again, with its own digest."""
    host = cloud.stale_host(servers=2).host
    digest = discard(planner, host).digest
    other = "0" * 12 if digest[0] != "0" else "1" * 12
    for typed in (digest[:5], digest[1:], digest + "0", other, "yes"):
        plan = discard(planner, host, approve=typed)
        assert (plan.state, plan.approved, plan.digest) == ("needs_approval", False, digest)
        assert f"the digest {typed} is not this plan's: look at the plan as it is now" in plan.approvals


def test_a_wrong_digest_stops_a_safe_plan_too(cloud, planner):
    """Who typed it meant another plan."""
    host = cloud.stale_host(servers=1).host
    assert planner.plan(host).state == "ready"
    assert planner.plan(host, approve="123456").state == "needs_approval"


def test_approval_does_not_lift_a_refusal(cloud, planner):
    """There is no force."""
    stale = cloud.stale_host(servers=1)
    cloud.set_service(stale.host, forced_down=True)
    assert discard(planner, stale.host, approve=discard(planner, stale.host).digest).state == "refused"


def test_the_digest_does_not_move_with_generations_and_times(cloud, planner):
    """They always move."""
    stale = cloud.stale_host(servers=1)
    before = planner.plan(stale.host).digest
    cloud.set_traits(stale.stale_uuid, ["COMPUTE_NODE", "CUSTOM_RACK_7"])
    cloud.allocate(stale.servers[0], {stale.stale_uuid: ONE_SERVER})
    cloud.set_service(stale.host, disabled=True, disabled_reason="later")
    cloud.heartbeat()
    assert planner.plan(stale.host).digest == before


def test_the_digest_is_another_one_for_another_amount(cloud, planner):
    """One consumer holds more."""
    stale = cloud.stale_host(servers=1)
    before = planner.plan(stale.host).digest
    cloud.allocate(stale.servers[0], {stale.stale_uuid: {**ONE_SERVER, "VCPU": 2}})
    assert planner.plan(stale.host).digest != before


def test_the_digest_is_another_one_for_another_disposition(cloud, planner):
    """A kept server was deleted meanwhile: what was approved is no more what would be done."""
    stale = cloud.stale_host(servers=2)
    approved = discard(planner, stale.host).digest
    kept = planner.plan(stale.host).digest
    cloud.delete_server(stale.servers[0])
    assert planner.plan(stale.host).digest != kept
    assert discard(planner, stale.host, approve=approved).state == "needs_approval"


def test_what_needs_approval_only_now_was_not_approved_before(cloud, planner):
    """A server was evacuated from the host after its plan was shown: the old digest does not cover it."""
    stale, home = cloud.stale_host(servers=1), cloud.healthy_host(servers=1)
    approved = planner.plan(stale.host, method="preserve").digest
    cloud.migration(home.servers[0], source_host=stale.host, dest_host=home.host, type="evacuation", status="done")
    assert planner.plan(stale.host, method="preserve", approve=approved).state == "needs_approval"


def test_the_digest_is_another_one_for_another_method_provider_or_host(cloud, planner):
    """Each of them is part of what is approved."""
    stale = cloud.stale_host(servers=1)
    digests = {planner.plan(stale.host).digest, discard(planner, stale.host).digest}
    cloud.allocate(stale.servers[0], {})
    cloud.delete_provider(stale.stale_uuid)
    cloud.allocate(stale.servers[0], {cloud.provider(stale.node): ONE_SERVER})
    digests |= {planner.plan(stale.host).digest, discard(planner, stale.host).digest}
    other = cloud.stale_host(servers=0)
    digests |= {planner.plan(other.host).digest, discard(planner, other.host).digest}
    assert len(digests) == 6


def test_discard_says_how_many_servers_go_on_running_without_allocations(cloud, planner):
    """The scheduler would fill the host beside them."""
    plan = discard(planner, cloud.stale_host(servers=2).host)
    assert any("2 running servers" in one for one in plan.approvals)


def test_a_digest_is_the_same_by_host_and_by_node(cloud, planner):
    """The same plan, asked for by another name."""
    host = new_name()
    stale = cloud.stale_host(servers=1, host=host, node=f"{host}.example.org")
    assert planner.plan(stale.host).digest == planner.plan(stale.node).digest


def test_automation_that_is_disabled_refuses_a_trigger(cloud, planner):
    """A run by a person is not concerned."""
    host, off = cloud.stale_host(servers=1).host, {"automation": "disabled"}
    assert "automation is disabled" in refusal(planner.plan(host, automatic=True, config=off))
    assert planner.plan(host, config=off).state == "ready"


def test_automation_that_asks_makes_a_safe_plan_wait(cloud, planner):
    """Until somebody types its digest."""
    host, ask = cloud.stale_host(servers=1).host, {"automation": "ask"}
    plan = planner.plan(host, automatic=True, config=ask)
    assert plan.state == "needs_approval"
    assert plan.approvals == ("a trigger asked for this, and automation is 'ask' in the pack's configuration",)
    assert planner.plan(host, approve=plan.digest, config=ask).state == "ready"


def test_automation_when_safe_runs_safe_plans_only(cloud, planner):
    """What needs approval needs it all the same."""
    stale, safe = cloud.stale_host(servers=1), {"automation": "when_safe"}
    assert planner.plan(stale.host, automatic=True, config=safe).state == "ready"
    cloud.allocate(cloud.server(vm_state="error"), {stale.stale_uuid: ONE_SERVER})
    assert planner.plan(stale.host, automatic=True, unknown="drop", config=safe).state == "needs_approval"


def test_a_trigger_needs_approval_where_nova_knows_nothing_of_a_consumer(cloud, planner):
    """A person's plan keeps it and says so; the same digest approves both."""
    stale, safe = cloud.stale_host(servers=1), {"automation": "when_safe"}
    unknown = new_uuid()
    cloud.allocate(unknown, {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host, automatic=True, config=safe)
    assert plan.state == "needs_approval"
    assert any(f"nova knows nothing of 1 consumer(s): see who owns {unknown}" in one for one in plan.approvals)
    assert planner.plan(stale.host).state == "ready"
    assert planner.plan(stale.host, approve=plan.digest).state == "ready"


def test_the_allow_list_matches_whole_host_names(cloud, planner):
    """Not the beginning of one, not the node, not a part."""
    host = f"{new_name()}-rack7"
    stale = cloud.stale_host(servers=1, host=host, node=f"{host}.example.org")
    for pattern, allowed in (("host-.*", True), ("nothing", False), ("host-", False), (".*rack7", True),
                             ("rack7", False), (r".*\.example\.org", False)):
        config = {"automation": "when_safe", "automation_hosts": ["never-[0-9]+", pattern]}
        state = planner.plan(stale.host, automatic=True, config=config).state
        assert state == ("ready" if allowed else "refused"), pattern


