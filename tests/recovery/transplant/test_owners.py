"""What owners do to their servers while these are moved: Nova's truth holds, and nobody is left without an allocation.

One host is recovered with a server for each story and moment: before the move, in the very moment of its write, and
after it. What Nova's services would write to Placement is written here.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

import pytest

from placement_recovery.errors import ConsumerChanged, StepFailed
from placement_recovery.plan.case import Request
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.planning import plan_recovery
from testkit.driving import Meddler, begin, go_on, open_hasty, watched
from testkit.looks import disabled_by, enabled, lock_traits
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid

MOMENTS = ("before the move", "in the moment of the write", "after the move")
ACTS = ("deleted", "live-migrated", "evacuated", "confirmed", "reverted", "resized")
BEFORE_ONLY = ("cold-migrated",)  # under way still: after the move Nova itself gives the source part to the migration


class Story(NamedTuple):
    """A recovered host, and by (act, moment) the server and, where it has one, the migration."""

    stale: Any
    other: Any
    servers: Dict[Tuple[str, str], str]
    migrations: Dict[Tuple[str, str], str]
    journal: Journal


def stories():
    """All pairs of an act and a moment."""
    early = [(act, moment) for act in BEFORE_ONLY for moment in MOMENTS[:2]]
    return [(act, moment) for act in ACTS for moment in MOMENTS] + early


@pytest.fixture(scope="module")
def story(cloud):
    """The recovery in which everybody acts."""
    stale, other = cloud.stale_host(servers=2), cloud.healthy_host()
    servers, migrations = {}, {}
    for act, moment in stories():
        if act in ("confirmed", "reverted"):
            server = cloud.server(host=other.host, vm_state="resized")
            move = cloud.migration(server, source_host=stale.host, dest_host=other.host, type="resize")
            migrations[act, moment] = move
            cloud.allocate(server, {other.uuid: ONE_SERVER})
            cloud.allocate(move, {stale.stale_uuid: ONE_SERVER})
        else:
            server = cloud.server(host=stale.host)
            cloud.allocate(server, {stale.stale_uuid: ONE_SERVER})
        servers[act, moment] = server
    told = Story(stale, other, servers, migrations, None)
    context, meddler = open_hasty(cloud.config(late_write_wait=0), pace=20), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    act_all(cloud, told, MOMENTS[0], stale.stale_uuid)
    meddler.before("POST", "/allocations", lambda: act_all(cloud, told, MOMENTS[1], stale.stale_uuid))
    go_on(watched(context, meddler), recovery_id, until="move_allocations")
    act_all(cloud, told, MOMENTS[2], stale.compute_uuid)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    return told._replace(journal=context.journal(recovery_id))


def act_all(cloud: Any, story: Story, moment: str, here: str) -> None:
    """Every act of this moment; `here` is the provider that is the host's just now."""
    for act, when in story.servers:
        if when == moment:
            ACT[act](cloud, story, (act, when), here)


def _delete(cloud, story, key, here):
    cloud.delete_server(story.servers[key])
    cloud.allocate(story.servers[key], {})


def _live_migrate(cloud, story, key, here):
    _move(cloud, story, key, "live-migration", "completed")
    cloud.allocate(story.servers[key], {story.other.uuid: ONE_SERVER})


def _evacuate(cloud, story, key, here):
    """The source part stays until nova-compute starts there again."""
    _move(cloud, story, key, "evacuation", "done")
    cloud.allocate(story.servers[key], {here: ONE_SERVER, story.other.uuid: ONE_SERVER})


def _confirm(cloud, story, key, here):
    cloud.set_migration(story.migrations[key], status="confirmed")
    cloud.set_server(story.servers[key], vm_state="active")
    cloud.allocate(story.migrations[key], {})


def _revert(cloud, story, key, here):
    cloud.set_migration(story.migrations[key], status="reverted")
    cloud.set_server(story.servers[key], vm_state="active", host=story.stale.host, node=story.stale.node)
    cloud.allocate(story.migrations[key], {})
    cloud.allocate(story.servers[key], {here: ONE_SERVER})


def _resize(cloud, story, key, here):
    """In VERIFY_RESIZE. During the fault Nova leaves the source part with the server, otherwise it swaps it."""
    _move(cloud, story, key, "resize", "finished")
    cloud.set_server(story.servers[key], vm_state="resized")
    _hold_both_ends(cloud, story, key, here)


def _cold_migrate(cloud, story, key, here):
    """Under way, on the source host still."""
    story.migrations[key] = cloud.migration(
        story.servers[key], source_host=story.stale.host, dest_host=story.other.host, status="migrating"
    )
    cloud.set_server(story.servers[key], task_state="resize_migrating")
    _hold_both_ends(cloud, story, key, here)


def _hold_both_ends(cloud, story, key, here):
    if here == story.stale.stale_uuid:
        cloud.allocate(story.servers[key], {here: ONE_SERVER, story.other.uuid: ONE_SERVER})
    else:
        cloud.allocate(story.servers[key], {story.other.uuid: ONE_SERVER})
        cloud.allocate(story.migrations[key], {here: ONE_SERVER})


def _move(cloud, story, key, kind, status):
    server, other = story.servers[key], story.other
    story.migrations[key] = cloud.migration(
        server, source_host=story.stale.host, dest_host=other.host, type=kind, status=status
    )
    cloud.set_server(server, host=other.host, node=other.node)


ACT = {
    "deleted": _delete, "live-migrated": _live_migrate, "evacuated": _evacuate, "confirmed": _confirm,
    "reverted": _revert, "resized": _resize, "cold-migrated": _cold_migrate,
}


def expected(story, act):
    """(what the server holds, what the migration holds) in the end."""
    here, there = {story.stale.compute_uuid: ONE_SERVER}, {story.other.uuid: ONE_SERVER}
    return {
        "deleted": ({}, {}), "live-migrated": (there, {}), "evacuated": (there, {}), "confirmed": (there, {}),
        "reverted": (here, {}), "resized": (there, here), "cold-migrated": (there, here),
    }[act]


@pytest.mark.parametrize(("act", "moment"), stories(), ids=[", ".join(one) for one in stories()])
def test_nova_has_the_last_word(cloud, story, act, moment):
    """Nobody is resurrected or stripped, and a source part is the migration's, from which it can be reverted."""
    server, migration = story.servers[act, moment], story.migrations.get((act, moment))
    held = (cloud.allocations(server), cloud.allocations(migration) if migration else {})
    assert held == expected(story, act)


def test_everybody_else_is_moved_and_the_recovery_ends(cloud, story):
    """As if nobody had acted."""
    stale, journal = story.stale, story.journal
    assert all(cloud.allocations(one) == {stale.compute_uuid: ONE_SERVER} for one in stale.servers)
    assert cloud.show_provider(stale.stale_uuid) is None
    assert journal.progress.state == "finished"
    assert cloud.service(stale.host) == enabled()
    assert lock_traits(cloud, journal.saved.id) == []


def test_a_server_made_anew_elsewhere_in_the_moment_of_the_write_is_named_and_nothing_ends(cloud, finish):
    """Its consumer bears the same generation again, so the write overwrites what it got at its new home."""
    context, meddler = open_hasty(cloud.config(late_write_wait=0), pace=20), Meddler()
    stale, other = cloud.stale_host(servers=2), cloud.healthy_host()
    moving = stale.servers[0]

    def moves():
        cloud.set_server(moving, host=other.host, node=other.node)
        cloud.allocate(moving, {})
        cloud.allocate(moving, {other.uuid: ONE_SERVER})

    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    meddler.before("POST", "/allocations", moves)
    with pytest.raises(ConsumerChanged, match=rf"{moving}.*heal_allocations --instance {moving} --force"):
        go_on(watched(context, meddler), recovery_id)
    assert cloud.allocations(moving), "no consumer is without an allocation"
    with cloud.nova_compute(stale.host, interval=0.1), pytest.raises(ConsumerChanged, match=moving):
        go_on(context, recovery_id)
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    cloud.allocate(moving, {other.uuid: ONE_SERVER})
    journal = finish(context, stale, recovery_id)
    assert journal.progress.state == "finished"
    assert cloud.allocations(moving) == {other.uuid: ONE_SERVER}
    assert cloud.allocations(stale.servers[1]) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_who_is_under_way_keeps_the_stale_root_until_it_is_over(cloud, finish):
    """A reboot that began meanwhile: all others are moved, the server is named, and the resume moves it too."""
    context = open_hasty(cloud.config(late_write_wait=0), pace=20)
    stale = cloud.stale_host(servers=2)
    busy, idle = stale.servers
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    cloud.set_server(busy, task_state="rebooting")
    with pytest.raises(StepFailed, match=f"1 consumer.*under way.*{busy}.*rebooting.*resume when it is over"):
        go_on(context, recovery_id)
    assert cloud.allocations(busy) == {stale.stale_uuid: ONE_SERVER}
    assert cloud.allocations(idle) == {stale.compute_uuid: ONE_SERVER}
    cloud.set_server(busy, task_state=None)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.allocations(busy) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_a_migration_that_begins_after_the_move_holds_nothing_up(cloud, finish):
    """Nova has given the source part to the migration itself, on the new root."""
    context = open_hasty(cloud.config(late_write_wait=0), pace=20)
    stale, other = cloud.stale_host(servers=1), cloud.healthy_host()
    (server,) = stale.servers
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    move = cloud.migration(server, source_host=stale.host, dest_host=other.host, status="migrating")
    cloud.set_server(server, task_state="resize_migrating")
    cloud.allocate(server, {other.uuid: ONE_SERVER})
    cloud.allocate(move, {stale.compute_uuid: ONE_SERVER})
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.allocations(server) == {other.uuid: ONE_SERVER}
    assert cloud.allocations(move) == {stale.compute_uuid: ONE_SERVER}


@pytest.mark.long
def test_a_conflict_does_not_part_the_sources_of_moves_from_their_servers(cloud, finish):
    """Resizes that ended before the move; somebody writes one of the servers in the moment of ours."""
    context, meddler = open_hasty(cloud.config(late_write_wait=0, batch_size=1), pace=20), Meddler()
    stale, other = cloud.stale_host(servers=6), cloud.healthy_host()
    story = Story(stale, other, {("resized", one): one for one in stale.servers}, {}, None)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before="move_allocations")
    for one in stale.servers:
        _resize(cloud, story, ("resized", one), stale.stale_uuid)
    for passing in range(6):
        meddler.before(
            "POST", "/allocations", passing=passing,
            act=lambda: [cloud.allocate(one, cloud.allocations(one)) for one in stale.servers],
        )
    go_on(watched(context, meddler), recovery_id, until="move_allocations")
    assert finish(context, stale, recovery_id).progress.state == "finished"
    for one in stale.servers:
        assert cloud.allocations(one) == {other.uuid: ONE_SERVER}
        assert cloud.allocations(story.migrations["resized", one]) == {stale.compute_uuid: ONE_SERVER}


@pytest.fixture
def doubtful(cloud):
    """A host with an ERROR server that has no host, and a consumer that nobody knows."""
    stale = cloud.stale_host(servers=1)
    hostless, unknown = cloud.server(host=None, vm_state="error"), new_uuid()
    for one in (hostless, unknown):
        cloud.allocate(one, {stale.stale_uuid: ONE_SERVER})
    return stale, hostless, unknown


def test_who_is_not_proven_to_be_left_over_is_moved_and_reported(cloud, context, finish, doubtful):
    """Without approval, for keeping costs nothing here."""
    stale, hostless, unknown = doubtful
    plan = plan_recovery(context, stale.host, Request("transplant"))[1]
    assert plan.state == "ready"
    evidence = {one.uuid: one.evidence for one in plan.decisions if one.disposition == "keep"}
    assert "moved along (unknown=drop takes it away)" in evidence[hostless]
    assert any(f"unknown consumer {unknown} is kept" in note for note in plan.notes)
    assert finish(context, stale, begin(context, stale.host, "transplant")).progress.state == "finished"
    assert [cloud.allocations(one) for one in (hostless, unknown)] == [{stale.compute_uuid: ONE_SERVER}] * 2


@pytest.mark.long
def test_unknown_drop_drops_them_with_approval(cloud, context, finish, doubtful):
    """Each is listed with its UUID."""
    stale, hostless, unknown = doubtful
    plan = plan_recovery(context, stale.host, Request("transplant", "drop"))[1]
    assert plan.state == "needs_approval"
    assert all(any(f"{one} goes without proof" in told for told in plan.approvals) for one in (hostless, unknown))
    assert finish(context, stale, begin(context, stale.host, "transplant", "drop")).progress.state == "finished"
    assert [cloud.allocations(one) for one in (hostless, unknown)] == [{}, {}]
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_a_server_that_moves_to_where_it_held_a_disk_in_the_moment_of_the_write_is_named(cloud, context):
    """Its new allocation bears the generation that the write names, and is overwritten with the disk alone."""
    stale, home, meddler = cloud.stale_host(servers=1), cloud.healthy_host(), Meddler()
    server = cloud.server(host=stale.host)
    cloud.allocate(server, {stale.stale_uuid: ONE_SERVER, home.uuid: {"DISK_GB": 7}})
    recovery_id = begin(context, stale.host, "transplant")

    def move() -> None:
        cloud.set_server(server, host=home.host, node=home.node)
        cloud.allocate(server, {})
        cloud.allocate(server, {home.uuid: ONE_SERVER})

    meddler.before("POST", "/allocations", move)
    with cloud.nova_compute(stale.host, interval=0.1):
        with pytest.raises(ConsumerChanged, match=f"{server}.*heal_allocations --instance {server} --force"):
            go_on(watched(context, meddler), recovery_id)
        cloud.allocate(server, {home.uuid: ONE_SERVER})
        go_on(context, recovery_id)
    assert cloud.allocations(server) == {home.uuid: ONE_SERVER}
