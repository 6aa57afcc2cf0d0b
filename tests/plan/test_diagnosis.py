"""What ails a host, on the real Placement and nova-api: the five parts of the proof, and each of them missing."""

from __future__ import annotations

import pytest

from testkit.cloud import new_name
from testkit.placement import ONE_SERVER
from testkit.planner import refusal


def finding(planner, host):
    """The finding about a host."""
    return planner.plan(host).diagnosis.finding


def test_a_healthy_host_is_healthy(cloud, planner):
    """Its provider has its compute node's UUID, and there is nothing to do."""
    host = cloud.healthy_host(servers=2)
    plan = planner.plan(host.host)
    assert (plan.state, plan.diagnosis.finding, plan.refusals) == ("healthy", "healthy", ())
    assert plan.diagnosis.explanation == f"provider {host.node} has the UUID of its compute node, {host.uuid}"


@pytest.mark.parametrize("by", ["host", "node"])
def test_a_stale_provider_is_proven_by_five_parts(cloud, planner, by):
    """Asked for by the host or by the node."""
    host = new_name()
    stale = cloud.stale_host(servers=1, host=host, node=f"{host}.example.org")
    plan = planner.plan(getattr(stale, by))
    assert (plan.state, plan.diagnosis.finding) == ("ready", "stale_provider")
    assert (plan.host, plan.node) == (stale.host, stale.node)
    assert (plan.stale_provider, plan.new_provider) == (stale.stale_uuid, stale.compute_uuid)
    assert [(part.holds, part.fact) for part in plan.diagnosis.proof] == [
        (True, f"provider {stale.stale_uuid}, compute node {stale.compute_uuid}"),
        (True, f"nova knows no compute node {stale.stale_uuid}"),
        (True, f"1 compute node(s) bear the name {stale.node}"),
        (True, "0 host(s) are in a cell that is down"),
        (True, f"provider {stale.stale_uuid} is nova's"),
    ]


def test_a_provider_of_another_live_compute_node_is_not_stale(cloud, planner):
    """Second part: nova knows the provider's UUID, under another node name."""
    host, owner = new_name(), new_name()
    cloud.compute(host)
    uuid = cloud.compute(owner)
    cloud.provider(host, uuid)
    plan = planner.plan(host)
    assert plan.diagnosis.finding == "other_fault"
    assert f"nova knows compute node {uuid}: node {owner} of host {owner}" in refusal(plan)


def duplicate_node(cloud):
    """A healthy host, and a second nova-compute that reports its node's name."""
    live, second = cloud.healthy_host(servers=1, host=new_name(), node=new_name()), new_name()
    cloud.compute(second, live.node)
    return live, second


@pytest.mark.parametrize("requested_name", ["live host", "second host"])
def test_a_node_name_that_two_hosts_report_is_never_recovered(cloud, planner, requested_name):
    """Third part, asked by either host: the provider is the live one's."""
    live, second = duplicate_node(cloud)
    plan = planner.plan(live.host if requested_name == "live host" else second)
    assert plan.diagnosis.finding == "duplicate_node_name"
    assert f"host {live.host} (node {live.node}, {live.uuid})" in refusal(plan)
    assert f"host {second} (node {live.node}, " in refusal(plan)
    assert "shares its node name with" in refusal(plan)
    assert plan.decisions == ()


def test_a_node_name_that_two_hosts_report_is_found_by_the_node_too(cloud, planner):
    """Third part, asked by a node name that is no host's name: both are named."""
    node, hosts = new_name(), sorted([new_name(), new_name()])
    live = cloud.healthy_host(host=hosts[0], node=node)
    cloud.compute(hosts[1], node)
    plan = planner.plan(node)
    assert plan.diagnosis.finding == "duplicate_node_name"
    assert f"host {hosts[0]} reports node {node} ({live.uuid})" in refusal(plan)
    assert f"host {hosts[1]} reports node {node}" in refusal(plan)


def test_two_hosts_with_one_node_name_and_a_left_over_provider_are_no_stale_host(cloud, planner):
    """Third part alone: nova knows the provider's UUID no more, but whose name is it?"""
    stale = cloud.stale_host(servers=1)
    cloud.compute(new_name(), stale.node)
    assert finding(planner, stale.host) == "duplicate_node_name"


def test_node_names_that_differ_by_case_only_are_one_name(cloud, planner):
    """Placement on MySQL takes them for the same."""
    stale = cloud.stale_host(servers=1)
    cloud.compute(new_name(), stale.node.upper())
    assert finding(planner, stale.host) == "duplicate_node_name"


def test_a_live_host_that_nova_does_not_show_yet_may_own_the_provider(cloud, planner):
    """Third part: no list shows the node of a host that is not mapped, and GET of its UUID is 404 as of a dead one."""
    live, second = new_name(), new_name()
    uuid = cloud.compute(live, mapped=False)
    cloud.provider(live, uuid)
    cloud.compute(second, live)
    plan = planner.plan(second)
    assert plan.diagnosis.finding == "other_fault"
    assert f"host {live} runs nova-compute, but nova lists no compute node of it" in refusal(plan)
    assert "nova-manage cell_v2 discover_hosts" in refusal(plan)
    cloud.map_host(live)
    assert finding(planner, second) == "duplicate_node_name"


def test_hosts_that_nova_does_not_show_yet_need_approval(cloud, planner):
    """Of another name they forbid nothing, but a person has to look; a trigger starts nothing."""
    stale, hidden = cloud.stale_host(servers=1), new_name()
    cloud.compute(hidden, mapped=False)
    plan = planner.plan(stale.host)
    assert plan.state == "needs_approval"
    assert any(hidden in one and "discover_hosts" in one for one in plan.approvals)
    safe = {"automation": "when_safe"}
    assert planner.plan(stale.host, automatic=True, config=safe).state == "needs_approval"
    cloud.map_host(hidden)
    assert planner.plan(stale.host, approve=plan.digest).state == "needs_approval"


def test_while_a_cell_is_down_nothing_is_judged(cloud, planner):
    """Fourth part: a compute node of the same name may hide there."""
    stale, there = cloud.stale_host(servers=1), cloud.healthy_host(cell="cell2")
    with cloud.cell_down():
        plan = planner.plan(stale.host)
        assert plan.diagnosis.finding == "cannot_tell"
        assert "a cell is down" in refusal(plan)
        assert there.host in refusal(plan)
    assert finding(planner, stale.host) == "stale_provider"


def test_while_a_cell_shows_no_services_nothing_is_judged(cloud, planner):
    """Fourth part, where the cell's other tables answer."""
    stale = cloud.stale_host(servers=1)
    cloud.healthy_host(cell="cell2")
    with cloud.cell_down(tables=("services",)):
        assert finding(planner, stale.host) == "cannot_tell"


def test_the_servers_of_two_cells_are_judged_alike(cloud, planner):
    """A host in the second cell is recovered as any other."""
    stale = cloud.stale_host(servers=2, cell="cell2")
    plan = planner.plan(stale.host)
    assert (plan.state, len(plan.with_disposition("keep"))) == ("ready", 2)


def test_a_provider_that_is_not_novas_is_not_stale(cloud, planner):
    """Fifth part: somebody else's provider happens to bear the name."""
    host = new_name()
    cloud.compute(host)
    uuid = cloud.provider(host, inventories={"CUSTOM_LICENCE": 5}, traits=())
    plan = planner.plan(host)
    assert plan.diagnosis.finding == "other_fault"
    assert refusal(plan) == f"provider {uuid} is not proven to be stale: provider {uuid} does not look like nova's"


@pytest.mark.parametrize(("inventories", "traits"), [({}, ("COMPUTE_NODE",)), ({"VCPU": 4}, ()), ({"PCPU": 4}, ())])
def test_a_provider_is_novas_by_trait_or_by_inventory(cloud, planner, inventories, traits):
    """Old ones have no trait, broken ones no inventory."""
    stale = cloud.stale_host(servers=0, inventories=inventories, traits=traits)
    assert finding(planner, stale.host) == "stale_provider"


def test_a_host_that_is_not_mapped_yet_is_told_from_an_unknown_one(cloud, planner):
    """After `compute service delete` the mapping is gone until discover_hosts ran."""
    host = new_name()
    cloud.compute(host, mapped=False)
    plan = planner.plan(host)
    assert plan.diagnosis.finding == "host_not_mapped"
    assert "nova-manage cell_v2 discover_hosts" in refusal(plan)
    cloud.map_host(host)
    assert finding(planner, host) == "other_fault"


def test_an_unknown_host_is_told(cloud, planner):
    """With the command that shows the known ones."""
    name = new_name()
    plan = planner.plan(name)
    assert plan.diagnosis.finding == "unknown_host"
    assert refusal(plan).startswith(f"nova knows no compute host and no node {name}; 'openstack hypervisor list'")


def test_a_provider_without_any_compute_is_no_host(cloud, planner):
    """A leftover of a host that is gone for good is not for us."""
    name = new_name()
    cloud.allocate(cloud.server(), {cloud.provider(name): ONE_SERVER})
    assert finding(planner, name) == "unknown_host"


def test_a_host_without_any_provider_has_another_fault(cloud, planner):
    """Nothing stands in nova-compute's way."""
    host = new_name()
    uuid = cloud.compute(host)
    plan = planner.plan(host)
    assert plan.diagnosis.finding == "other_fault"
    assert f"no provider bears the name {host} and none has its UUID {uuid}" in refusal(plan)


def test_a_host_whose_provider_bears_another_name_has_another_fault(cloud, planner):
    """No name stands in its way."""
    host, other = new_name(), new_name()
    cloud.provider(other, cloud.compute(host))
    plan = planner.plan(host)
    assert plan.diagnosis.finding == "other_fault"
    assert f"bears the name {other}, not {host}" in refusal(plan)


def test_a_host_with_a_provider_of_its_own_and_one_of_its_name_has_another_fault(cloud, planner):
    """Both are named, none is touched."""
    stale, other = cloud.stale_host(servers=1), new_name()
    cloud.provider(other, stale.compute_uuid)
    plan = planner.plan(stale.host)
    assert plan.diagnosis.finding == "other_fault"
    assert other in refusal(plan)
    assert stale.stale_uuid in refusal(plan)


def test_a_host_with_two_nodes_must_be_asked_for_by_node(cloud, planner):
    """And what is to be typed next names the node too."""
    host, nodes = new_name(), sorted([new_name(), new_name()])
    stale = cloud.stale_host(servers=1, host=host, node=nodes[0])
    cloud.compute(host, nodes[1])
    plan = planner.plan(host)
    assert plan.diagnosis.finding == "ambiguous_host"
    assert nodes[0] in refusal(plan)
    assert nodes[1] in refusal(plan)
    one = planner.plan(nodes[0])
    assert (one.state, one.stale_provider, one.new_provider) == ("ready", stale.stale_uuid, stale.compute_uuid)


def test_a_name_that_is_one_hosts_and_another_ones_node_is_refused(cloud, planner):
    """Either could be meant."""
    name, other = new_name(), new_name()
    cloud.compute(name, new_name())
    cloud.compute(other, name)
    plan = planner.plan(name)
    assert plan.diagnosis.finding == "ambiguous_host"
    assert f"host {other} reports node {name}" in refusal(plan)


def test_a_name_in_another_case_or_with_another_end_is_the_same(cloud, planner):
    """Alerts and DNS change the case, and libvirt ends the name of a host without a domain with a dot."""
    host, safe = new_name(), {"automation": "when_safe"}
    cloud.stale_host(servers=1, host=host, node=f"{host}.")
    for asked in (host, f"{host}.", host.upper()):
        plan = planner.plan(asked, automatic=True, config=safe)
        assert (plan.state, plan.host, plan.node) == ("ready", host, f"{host}.")


def test_the_only_host_that_is_called_so_but_for_its_domain_is_meant(cloud, planner):
    """A person sees which it is; a trigger asks first."""
    host, safe = new_name(), {"automation": "when_safe"}
    full = f"{host}.ctlplane.example.org"
    cloud.stale_host(servers=1, host=full)
    plan = planner.plan(host)
    assert (plan.state, plan.host) == ("ready", full)
    assert any(f"host {full} (node {full}) is the only one that is called alike" in note for note in plan.notes)
    asked = planner.plan(host, automatic=True, config=safe)
    assert asked.state == "needs_approval"
    assert planner.plan(full, approve=asked.digest).state == "ready"


def test_two_hosts_that_are_called_so_but_for_their_domains_are_refused(cloud, planner):
    """Nothing is guessed; an exact name is that host's."""
    host = new_name()
    cloud.stale_host(servers=1, host=f"{host}.a.example.org")
    cloud.healthy_host(host=f"{host}.b.example.org")
    plan = planner.plan(host)
    assert (plan.diagnosis.finding, plan.state) == ("ambiguous_host", "refused")
    assert planner.plan(f"{host}.a.example.org").state == "ready"


def test_the_nearest_names_of_an_unknown_host_are_told(cloud, planner):
    """Somebody mistyped it."""
    host = cloud.healthy_host().host
    plan = planner.plan(f"{host}x")
    assert (plan.diagnosis.finding, f"its nearest names are {host}" in refusal(plan)) == ("unknown_host", True)
