"""Consumers that Nova knows as migrations, and servers under way: each row of the table, on the real services."""

from __future__ import annotations

import pytest

from testkit.placement import ONE_SERVER
from testkit.planner import decision, elsewhere, outcome, part, refusal
from testkit.rows import new_uuid

# nova/compute/manager.py and nova/conductor set them while a move is under way.
OPEN = (
    "queued", "accepted", "preparing", "pre-migrating", "running", "post-migrating", "migrating", "confirming",
    "reverting",
)
OVER = ("error", "failed", "confirmed", "reverted", "cancelled", "completed", "done")


def resized_before(cloud, stale, dest, status="finished", **server):
    """A server that moved from the stale host before the fault: the migration holds the source, the server the rest."""
    uuid = cloud.server(host=dest.host, **{"vm_state": "resized", **server})
    move = cloud.migration(uuid, source_host=stale.host, dest_host=dest.host, type="resize", status=status)
    cloud.allocate(move, {stale.stale_uuid: ONE_SERVER})
    cloud.allocate(uuid, {dest.uuid: ONE_SERVER})
    return uuid, move


def test_a_resize_that_can_be_reverted_keeps_its_source(cloud, planner):
    """VERIFY_RESIZE, moved before the fault: the part of the migration's UUID is what a revert needs."""
    stale, dest = cloud.stale_host(servers=1), cloud.healthy_host()
    server, move = resized_before(cloud, stale, dest)
    plan = planner.plan(stale.host)
    assert outcome(plan, move) == ("migration", "keep", "ready")
    evidence = f"resize of server {server} (finished) can still be reverted to this host"
    assert decision(plan, move).evidence == evidence
    assert part(plan, move) == {stale.stale_uuid: ONE_SERVER}


def test_a_resize_to_this_host_keeps_its_destination(cloud, planner):
    """Moved here before the fault: the server holds this host, the migration its source."""
    stale, source = cloud.stale_host(servers=0), cloud.healthy_host()
    server = cloud.server(host=stale.host, vm_state="resized")
    move = cloud.migration(server, source_host=source.host, dest_host=stale.host, type="resize")
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER})
    cloud.allocate(move, {source.uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("server", "keep", "ready")
    assert [one.uuid for one in plan.decisions] == [server]


def test_a_resize_on_this_very_host_keeps_both_parts(cloud, planner):
    """allow_resize_to_same_host: server and migration both hold this provider."""
    stale = cloud.stale_host(servers=0)
    server = cloud.server(host=stale.host, vm_state="resized")
    move = cloud.migration(server, source_host=stale.host, dest_host=stale.host, type="resize")
    cloud.allocate(server, {stale.stale_uuid: {"VCPU": 4}})
    cloud.allocate(move, {stale.stale_uuid: {"VCPU": 2}})
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("server", "keep", "ready")
    assert outcome(plan, move) == ("migration", "keep", "ready")
    assert [(one.resource_class, one.needed) for one in plan.capacity] == [("VCPU", 6)]


def test_a_server_that_was_resized_during_the_fault_is_refused(cloud, planner):
    """Nova skipped the swap: the server itself holds both, and the stale part is its only source allocation."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    server = cloud.server(host=dest.host, vm_state="resized")
    cloud.migration(server, source_host=stale.host, dest_host=dest.host, type="resize")
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, dest.uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("moved server", "blocked", "refused")
    assert "revert the resize first (confirming it fails" in refusal(plan)
    assert planner.plan(stale.host, method="discard").state == "refused"


def test_a_resized_server_here_that_itself_holds_its_source_is_refused(cloud, planner):
    """The same skipped swap, seen from the destination."""
    stale, source = cloud.stale_host(servers=0), cloud.healthy_host()
    server = cloud.server(host=stale.host, vm_state="resized")
    cloud.migration(server, source_host=source.host, dest_host=stale.host, type="resize")
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, source.uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert outcome(plan, server) == ("server", "blocked", "refused")
    assert f"itself holds {source.host} too: confirm or revert the resize first" in refusal(plan)


def test_a_move_away_that_is_under_way_is_refused_in_any_of_its_states(cloud, planner):
    """The migration holds the source, the server is still here."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    moves = {}
    for status in OPEN:
        server = cloud.server(host=stale.host)
        ends = {"source_host": stale.host, "dest_host": dest.host}
        moves[status] = cloud.migration(server, **ends, type="live-migration", status=status)
        cloud.allocate(moves[status], {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    for status, move in moves.items():
        assert outcome(plan, move) == ("migration", "blocked", "refused")
        assert f"({status}) is under way; wait until it is over" in decision(plan, move).evidence
    assert len(plan.refusals) == len(OPEN)


def test_a_move_to_this_host_that_is_under_way_is_refused_in_any_of_its_states(cloud, planner):
    """The server is elsewhere and holds this host already."""
    stale, source = cloud.stale_host(servers=0), cloud.healthy_host()
    servers = {}
    for status in OPEN:
        server = servers[status] = cloud.server(host=source.host)
        ends = {"source_host": source.host, "dest_host": stale.host}
        cloud.migration(server, **ends, type="live-migration", status=status)
        cloud.allocate(server, {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    for status, server in servers.items():
        assert outcome(plan, server) == ("server", "blocked", "refused")
        expected = f"live-migration from {source.host} to {stale.host} is {status}; wait until it is over"
        assert decision(plan, server).evidence == expected


@pytest.mark.parametrize("role", ["source", "destination"])
def test_a_move_of_a_server_that_holds_nothing_here_yet_is_refused(cloud, planner, role):
    """It may hold this host the next moment."""
    stale, other = cloud.stale_host(servers=1), cloud.healthy_host(servers=1)
    ends = (stale.host, other.host) if role == "source" else (other.host, stale.host)
    cloud.migration(other.servers[0], source_host=ends[0], dest_host=ends[1], status="accepted", type="evacuation")
    expected = f"evacuation from {ends[0]} to {ends[1]} is accepted; wait until it is over"
    assert refusal(planner.plan(stale.host)) == f"server {other.servers[0]}: {expected}"


def test_a_move_whose_destination_is_not_chosen_yet_is_refused(cloud, planner):
    """And said so, with no gap in the sentence."""
    stale = cloud.stale_host(servers=1)
    cloud.migration(stale.servers[0], source_host=stale.host, dest_host=None, status="queued", type="migration")
    told = refusal(planner.plan(stale.host))
    assert f"migration from {stale.host} to a host that is not chosen yet is queued" in told


def test_a_hidden_migration_is_kept_as_unknown(cloud, planner):
    """Nova's API never shows it, so nobody can tell what it is; what is kept cannot be lost."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    _, move = resized_before(cloud, stale, dest)
    cloud.set_migration(move, hidden=True)
    plan = planner.plan(stale.host)
    assert outcome(plan, move) == ("unknown", "keep", "ready")
    assert planner.plan(stale.host, unknown="drop").state == "needs_approval"


def test_a_cross_cell_resize_that_is_under_way_is_refused(cloud, planner):
    """It is listed like any other."""
    stale, dest = cloud.stale_host(servers=1), cloud.healthy_host()
    cloud.migration(
        stale.servers[0], source_host=stale.host, dest_host=dest.host, type="resize", status="post-migrating",
        cross_cell_move=True,
    )
    assert outcome(planner.plan(stale.host), stale.servers[0]) == ("server", "blocked", "refused")


def test_the_leftover_of_a_move_whose_server_is_settled_is_dropped(cloud, planner):
    """The server runs elsewhere, where it holds its allocation; whichever way the move ended."""
    stale, dest = cloud.stale_host(servers=1), cloud.healthy_host()
    moves = {status: resized_before(cloud, stale, dest, status=status, vm_state="active") for status in OVER}
    plan = planner.plan(stale.host)
    for status, (server, move) in moves.items():
        assert outcome(plan, move) == ("migration", "drop", "ready")
        assert decision(plan, move).evidence == f"resize of server {server} ({status}); the server is settled"


def test_the_leftover_of_a_failed_move_of_a_server_here_is_dropped(cloud, planner):
    """The server holds its own part beside it, which is kept."""
    stale, dest = cloud.stale_host(servers=1), cloud.healthy_host()
    move = cloud.migration(
        stale.servers[0], source_host=stale.host, dest_host=dest.host, type="live-migration", status="error"
    )
    cloud.allocate(move, {stale.stale_uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert outcome(plan, move) == ("migration", "drop", "ready")
    assert outcome(plan, stale.servers[0]) == ("server", "keep", "ready")


def test_the_only_part_of_a_server_here_is_not_dropped_with_its_failed_move(cloud, planner):
    """A live migration that failed before the allocation was swapped back."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    server = cloud.server(host=stale.host)
    move = cloud.migration(server, source_host=stale.host, dest_host=dest.host, type="live-migration", status="error")
    cloud.allocate(move, {stale.stale_uuid: ONE_SERVER})
    cloud.allocate(server, {dest.uuid: ONE_SERVER})
    told = refusal(planner.plan(stale.host))
    assert f"server {server} lives here and holds nothing of the provider itself" in told
    assert planner.plan(stale.host, method="discard").state == "needs_approval"


def test_the_leftover_of_a_move_of_an_archived_server_is_dropped(cloud, planner):
    """The migration is listed, its server is not known at all."""
    stale = cloud.stale_host(servers=1)
    for status in ("finished", "error", "confirmed"):
        server = new_uuid()
        move = cloud.migration(server, source_host=stale.host, dest_host="dest", type="resize", status=status)
        cloud.allocate(move, {stale.stale_uuid: ONE_SERVER})
        plan = planner.plan(stale.host)
        assert outcome(plan, move) == ("migration", "drop", "ready")
        assert decision(plan, move).evidence == f"resize of server {server} ({status}); the server is gone"


def test_the_leftover_of_a_move_of_a_deleted_server_is_unknown(cloud, planner):
    """Its migrations are deleted with it and listed no more; a person is told what it likely is."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    server, move = resized_before(cloud, stale, dest, vm_state="error")
    cloud.delete_server(server)
    plan = planner.plan(stale.host)
    assert outcome(plan, move) == ("unknown", "keep", "ready")
    assert "likely the leftover of a failed move" in decision(plan, move).evidence


def test_a_finished_resize_whose_server_is_not_in_verify_is_refused(cloud, planner):
    """Somebody reset its state: neither confirmed nor reverted."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    _, move = resized_before(cloud, stale, dest, vm_state="active")
    plan = planner.plan(stale.host)
    assert outcome(plan, move) == ("migration", "blocked", "refused")
    assert "the server is ACTIVE: confirm or revert the resize first" in refusal(plan)


def test_a_resize_that_is_being_reverted_is_refused(cloud, planner):
    """The task tells before the migration's status does."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    server, move = resized_before(cloud, stale, dest)
    cloud.set_server(server, task_state="resize_reverting")
    assert outcome(planner.plan(stale.host), move) == ("migration", "blocked", "refused")


def test_a_second_resize_does_not_free_the_leftover_of_a_first(cloud, planner):
    """The server waits for a confirm again: nothing of it is settled."""
    stale, dest = cloud.stale_host(servers=0), cloud.healthy_host()
    server, first = resized_before(cloud, stale, dest, status="error")
    cloud.migration(server, source_host=dest.host, dest_host="elsewhere", type="resize", status="finished")
    assert outcome(planner.plan(stale.host), first) == ("migration", "blocked", "refused")


def test_a_leftover_keeps_what_it_holds_elsewhere(cloud, planner):
    """Another host's provider is not touched."""
    stale, dest, third = cloud.stale_host(servers=0), cloud.healthy_host(), cloud.healthy_host()
    _, move = resized_before(cloud, stale, dest, status="error", vm_state="active")
    cloud.allocate(move, {stale.stale_uuid: ONE_SERVER, third.uuid: ONE_SERVER})
    plan = planner.plan(stale.host)
    assert outcome(plan, move) == ("migration", "trim", "ready")
    assert elsewhere(plan, move) == [third.uuid]


@pytest.mark.parametrize("status", ["done", "accepted", "pre-migrating"])
def test_a_guest_that_a_restart_would_destroy_needs_approval(cloud, planner, status):
    """nova-compute clears away, at its start, what was evacuated from its host; a published method may restart it."""
    stale, home = cloud.stale_host(servers=1), cloud.healthy_host()
    server = cloud.server(host=home.host)
    cloud.migration(server, source_host=stale.host, dest_host=home.host, type="evacuation", status=status)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, home.uuid: ONE_SERVER})
    plan = planner.plan(stale.host, method="preserve")
    told = f"server {server} was evacuated to {home.host}: a restart of nova-compute destroys what is left"
    assert any(told in one for one in plan.approvals)
    assert plan.state == ("needs_approval" if status == "done" else "refused")


def test_an_evacuation_that_was_cleared_away_needs_no_approval(cloud, planner):
    """`completed`: nova-compute has restarted since."""
    stale, home = cloud.stale_host(servers=1), cloud.healthy_host(servers=1)
    cloud.migration(
        home.servers[0], source_host=stale.host, dest_host=home.host, type="evacuation", status="completed"
    )
    assert planner.plan(stale.host).state == "ready"
