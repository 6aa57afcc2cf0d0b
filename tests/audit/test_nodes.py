"""Each way in which a compute node and the providers can disagree is found, with what to type."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.audit.cloud_view import view_cloud
from placement_recovery.audit.unmatched import unmatched_findings
from testkit.cloud import new_name

RECOVER = "st2 run placement_recovery.recover_host host="


def test_a_healthy_host_is_no_finding(cloud, auditor):
    """Name and UUID agree."""
    host = cloud.healthy_host(2)
    assert auditor.of(host.host, host.uuid) == []


def test_a_stale_provider_is_proven(cloud, auditor):
    """With the recovery to type; its servers are no orphans."""
    host = cloud.stale_host(2)
    assert auditor.of(host.host) == [("stale_provider", f"{RECOVER}{host.host}")]
    assert "2 consumer(s) hold it" in auditor.summary_of(host.stale_uuid)


def test_a_stale_provider_with_children_is_for_the_method_that_keeps_them(cloud, auditor):
    """The others would refuse it."""
    host = cloud.stale_host(1)
    cloud.provider(f"{host.node}_pgpu0", parent=host.stale_uuid, inventories={"VGPU": 4}, traits=())
    assert auditor.of(host.host) == [("stale_provider", f"{RECOVER}{host.host}")]


def test_a_host_with_several_nodes_is_asked_for_by_the_node(cloud, auditor):
    """The host's name would be ambiguous."""
    host = cloud.healthy_host().host
    stale = cloud.stale_host(0, host=host, node=new_name())
    assert auditor.of(stale.stale_uuid) == [("stale_provider", f"{RECOVER}{stale.node}")]


def test_a_duplicate_node_name_is_one_finding(cloud, auditor):
    """Its provider may be a healthy host's, so no recovery is offered."""
    healthy = cloud.healthy_host(1)
    cloud.compute(new_name(), healthy.node)
    assert auditor.of(healthy.node) == [("duplicate_node_name", "")]


def test_a_provider_that_is_not_novas_is_another_fault(cloud, auditor):
    """One part of the proof fails: the same diagnosis as in a plan."""
    host = cloud.stale_host(0, inventories={"CUSTOM_DISK": 1}, traits=())
    assert auditor.of(host.host) == [("other_fault", "")]
    assert "does not look like nova's" in auditor.summary_of(host.compute_uuid)


def test_a_provider_under_another_name_is_another_fault(cloud, auditor):
    """No name stands in nova-compute's way."""
    uuid = cloud.compute(new_name())
    cloud.provider(new_name(), uuid)
    assert auditor.of(uuid) == [("other_fault", "")]


def test_a_compute_node_without_a_provider_is_found(cloud, auditor):
    """Neither its name nor its UUID is in Placement."""
    uuid = cloud.compute(new_name())
    assert auditor.of(uuid) == [("no_provider", "")]


def test_a_host_that_is_not_mapped_is_found(cloud, auditor):
    """nova-compute runs, and no list shows its node: its provider looks left over, and must not be deleted."""
    host, way = new_name(), "nova-manage cell_v2 discover_hosts"
    uuid = cloud.compute(host, mapped=False)
    cloud.provider(host, uuid)
    assert auditor.of(host, uuid) == [("host_not_mapped", way), ("unmatched_provider", way)]
    cloud.map_host(host)
    assert auditor.of(host, uuid) == []


@pytest.mark.parametrize(
    ("servers", "words", "way"),
    [
        (0, "nothing is allocated on it", "openstack resource provider delete "),
        (2, "2 consumer(s) hold it", "st2 run placement_recovery.show_allocations provider="),
    ],
)
def test_a_provider_of_no_compute_node_is_found(cloud, auditor, servers, words, way):
    """Its name is no node's; an empty one can be deleted, one that is held must be looked at."""
    provider = cloud.provider(new_name())
    cloud.placed_servers(servers, cloud.healthy_host().host, "", provider)
    # Other stories leave hosts that are not mapped; here, nova lists the nodes of all.
    seen = replace(view_cloud(auditor.context()), services=())
    (found,) = (one for one in unmatched_findings(auditor.context(), seen)[0] if one.subject == provider)
    assert (found.kind, found.next) == ("unmatched_provider", f"{way}{provider}")
    assert words in found.summary


def test_providers_that_transplants_set_aside_are_found(cloud, auditor):
    """Their records are lost; StackStorm's datastore is asked once for all of them, in the action's own thread."""
    aside = [cloud.provider(f"{new_name()}.stale-{number}123456789") for number in range(2)]
    show = "st2 run placement_recovery.show_allocations provider="
    assert [auditor.of(one) for one in aside] == [[("set_aside_provider", f"{show}{one}")] for one in aside]


def test_a_provider_of_somebody_else_is_counted_only(cloud, auditor):
    """A sharing provider is none of nova's."""
    provider = cloud.provider(new_name(), inventories={"DISK_GB": 100}, traits=("MISC_SHARES_VIA_AGGREGATE",))
    assert auditor.of(provider) == []
    assert any("lack COMPUTE_NODE" in one for one in auditor.run()["not_looked_at"])


def test_while_a_cell_is_down_nothing_is_judged(cloud, auditor):
    """Its nodes hide, and each would look like a leftover or a stale one."""
    hidden = cloud.healthy_host(cell="cell2")
    stale = cloud.stale_host(1)
    with cloud.cell_down():
        result = auditor.run(dispatch=True)
        assert auditor.of(hidden.host, hidden.uuid, stale.host, stale.stale_uuid) in ([], [("cannot_tell", "")])
    assert set(result["counts"]) <= {"cannot_tell", "unfinished_recovery", "orphaned_lock", "disabled_service"}
    assert result["counts"]["cannot_tell"] == 1
    assert result["dispatched"] == auditor.dispatched() == []
    assert "not whole while a cell is down" in result["not_looked_at"][0]
