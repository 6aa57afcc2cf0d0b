"""What Nova leaves out, or tells of other hosts only, proves nothing about this one."""

from __future__ import annotations

from testkit.cloud import new_name
from testkit.placement import ONE_SERVER
from testkit.planner import outcome


def test_a_provider_that_an_unmapped_host_may_own_needs_approval(cloud, planner):
    """A host that is up and not mapped yet reports the same node, and the provider is its own."""
    unmapped, asked, node = new_name(), new_name(), new_name()
    cloud.provider(node, cloud.compute(unmapped, node, mapped=False))
    cloud.compute(asked, node)
    assert planner.plan(asked).state == "needs_approval"


def test_a_move_between_two_other_hosts_that_holds_the_provider_is_refused(cloud, planner):
    """Its server was evacuated from here long ago, so that the migration took over the part that was left."""
    stale, source, dest = cloud.stale_host(servers=1), cloud.healthy_host(), cloud.healthy_host()
    server = cloud.server(host=source.host, task_state="migrating")
    move = cloud.migration(
        server, source_host=source.host, dest_host=dest.host, status="running", type="live-migration"
    )
    cloud.allocate(move, {stale.stale_uuid: ONE_SERVER, source.uuid: ONE_SERVER})
    cloud.allocate(server, {dest.uuid: ONE_SERVER})
    assert outcome(planner.plan(stale.host), move) == ("migration", "blocked", "refused")


def test_while_a_cell_shows_no_migrations_nothing_is_judged(cloud, planner):
    """Nova leaves the cell out of the list without a word; a resize is being reverted there."""
    stale, dest = cloud.stale_host(servers=1, cell="cell2"), cloud.healthy_host(cell="cell2")
    server = cloud.server(host=dest.host, vm_state="resized")
    move = cloud.migration(server, source_host=stale.host, dest_host=dest.host, status="reverting", type="resize")
    cloud.allocate(move, {stale.stale_uuid: ONE_SERVER})
    cloud.allocate(server, {dest.uuid: ONE_SERVER})
    with cloud.cell_down(tables=("migrations",)):
        assert planner.plan(stale.host).state == "refused"
