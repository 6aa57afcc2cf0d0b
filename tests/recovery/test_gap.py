"""What owners do while their allocations are away: nobody is resurrected, and who settles gets it back.

One host with a consumer for each story is recovered once; between the clearing and the setting everybody acts.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple

import pytest

from placement_recovery.errors import StepFailed
from placement_recovery.records.journal import Journal
from testkit.driving import Meddler, begin, go_on, open_hasty, watched
from testkit.looks import disabled_by, enabled, lock_traits
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid

HERE = ("stays", "deleted", "archived", "purged", "moves", "is shelved", "reboots", "live-migrates", "deleted later",
        "moves later", "archived later")


class Story(NamedTuple):
    """A recovered host and its consumers by their stories."""

    stale: Any
    other: Any
    consumers: Dict[str, str]
    journal: Journal


@pytest.fixture(scope="module")
def story(cloud):
    """A recovery in whose gap, and in whose very act of setting, each consumer's owner acts."""
    stale, other = cloud.stale_host(servers=0), cloud.healthy_host()
    consumers = {name: cloud.server(host=stale.host, name=name) for name in HERE}
    for name in ("to confirm", "to revert"):
        server = cloud.server(host=other.host, vm_state="resized", name=name)
        consumers[f"server {name}"] = server
        consumers[name] = cloud.migration(server, source_host=stale.host, dest_host=other.host, type="resize")
        cloud.allocate(server, {other.uuid: ONE_SERVER})
    for name in (*HERE, "to confirm", "to revert"):
        cloud.allocate(consumers[name], {stale.stale_uuid: ONE_SERVER})
    context, meddler = open_hasty(cloud.config(provider_wait=60)), Meddler()
    recovery_id = begin(context, stale.host)
    meddler.after("POST", "/allocations", lambda: act_later(cloud, stale, other, consumers))
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="set_allocations")
        act(cloud, stale, other, consumers)
        go_on(watched(context, meddler), recovery_id)
    return Story(stale, other, consumers, context.journal(recovery_id))


def act(cloud: Any, stale: Any, other: Any, consumers: Dict[str, str]) -> None:
    """While the allocations are away."""
    cloud.delete_server(consumers["deleted"])
    cloud.archive_server(consumers["archived"])
    cloud.delete_server(consumers["purged"])
    cloud.archive_server(consumers["purged"])
    move(cloud, consumers["moves"], stale, other, "confirmed")
    cloud.set_server(consumers["is shelved"], host=None, node=None, vm_state="shelved_offloaded")
    cloud.set_server(consumers["reboots"], task_state="rebooting")
    server, way = consumers["live-migrates"], {"source_host": stale.host, "dest_host": other.host}
    consumers["live migration"] = cloud.migration(server, status="running", type="live-migration", **way)
    cloud.set_migration(consumers["to confirm"], status="confirmed")
    cloud.set_server(consumers["server to confirm"], vm_state="active")
    cloud.set_migration(consumers["to revert"], status="reverted")
    cloud.set_server(consumers["server to revert"], vm_state="active", host=stale.host, node=stale.node)


def act_later(cloud: Any, stale: Any, other: Any, consumers: Dict[str, str]) -> None:
    """Right after the allocations were set, before the second look."""
    cloud.delete_server(consumers["deleted later"])
    cloud.archive_server(consumers["archived later"])
    cloud.set_server(consumers["moves later"], host=other.host, node=other.node)
    cloud.allocate(consumers["moves later"], {stale.compute_uuid: ONE_SERVER, other.uuid: ONE_SERVER})
    cloud.set_server(consumers["reboots"], task_state=None)
    cloud.set_migration(consumers["live migration"], status="completed")
    cloud.set_server(consumers["live-migrates"], host=other.host, node=other.node)
    cloud.allocate(consumers["live-migrates"], {other.uuid: ONE_SERVER})


def move(cloud: Any, server: str, stale: Any, other: Any, status: str) -> None:
    """A cold migration from beginning to end, as Nova leaves Placement."""
    cloud.migration(server, source_host=stale.host, dest_host=other.host, status=status, type="migration")
    cloud.set_server(server, host=other.host, node=other.node)
    cloud.allocate(server, {other.uuid: ONE_SERVER})


@pytest.mark.parametrize("name", ["deleted", "archived", "purged", "is shelved", "deleted later", "archived later",
                                  "to confirm", "to revert"])
def test_who_went_meanwhile_is_not_resurrected(cloud, story, name):
    """Before the setting, or in its very moment: then it is taken back."""
    assert cloud.allocations(story.consumers[name]) == {}


@pytest.mark.parametrize("name", ["moves", "moves later", "live-migrates"])
def test_who_moved_meanwhile_holds_what_nova_gave_it(cloud, story, name):
    """On the other host, and nothing here."""
    assert cloud.allocations(story.consumers[name]) == {story.other.uuid: ONE_SERVER}


@pytest.mark.parametrize("name", ["stays", "reboots"])
def test_who_is_still_here_holds_what_it_held(cloud, story, name):
    """Also who was busy at first."""
    assert cloud.allocations(story.consumers[name]) == {story.stale.compute_uuid: ONE_SERVER}


def test_the_new_provider_is_held_by_nobody_else(cloud, story):
    """What it looks like to the scheduler."""
    names = {uuid: name for name, uuid in story.consumers.items()}
    held = cloud.provider_allocations(story.stale.compute_uuid)
    assert {names[consumer] for consumer in held} == {"stays", "reboots"}


def test_the_record_tells_what_became_of_each(story):
    """In a word that a person understands."""
    names = {uuid: name for name, uuid in story.consumers.items()}
    told = {names[uuid]: what for uuid, what in story.journal.progress.outcomes.items()}
    assert "DELETED in nova" in told.pop("deleted")
    assert "DELETED in nova" in told.pop("deleted later")
    unknown = "nova does not know this server any more"
    assert told.pop("archived") == told.pop("archived later") == told.pop("purged") == unknown
    assert told.pop("moves") == told.pop("live-migrates") == f"ACTIVE on {story.other.host} meanwhile"
    assert told.pop("moves later") == f"ACTIVE on {story.other.host} meanwhile"
    assert told.pop("is shelved") == "SHELVED_OFFLOADED on no host meanwhile"
    assert "is confirmed meanwhile" in told.pop("to confirm")
    assert "is reverted meanwhile" in told.pop("to revert")
    assert told == {}


def test_the_recovery_ends_well(cloud, story):
    """What others do is no failure."""
    assert story.journal.progress.state == "finished"
    summary = story.journal.progress.steps["set_allocations"].summary
    assert summary.startswith("2 consumers hold")
    assert "; 11 do not, because their owners deleted or moved them" in summary
    assert cloud.service(story.stale.host) == enabled()
    assert lock_traits(cloud, story.journal.saved.id) == []


@pytest.mark.long
def test_who_stays_busy_is_set_by_a_resume(cloud):
    """All others are set at once; the service stays disabled until the task is over."""
    stale, context = cloud.stale_host(servers=3), open_hasty(cloud.config(provider_wait=600), pace=25)
    busy = stale.servers[1]
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="set_allocations")
        cloud.set_server(busy, task_state="image_snapshot")
        with pytest.raises(StepFailed, match=f"1 consumer.*under way.*{busy} .*task image_snapshot.*Resume when it is"):
            go_on(context, recovery_id)
        assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers) - {busy}
        assert cloud.service(stale.host) == disabled_by(recovery_id)
        cloud.set_server(busy, task_state=None)
        go_on(context, recovery_id)
    assert set(cloud.provider_allocations(stale.compute_uuid)) == set(stale.servers)
    assert cloud.service(stale.host) == enabled()


@pytest.mark.long
def test_an_unknown_consumer_that_came_back_by_itself_keeps_what_it_holds(cloud, context):
    """Its owner may have made it anew, elsewhere too: what it holds now stays, its part here comes back beside it."""
    stale, other, unknown, typed = cloud.stale_host(servers=0), cloud.healthy_host(), new_uuid(), new_uuid()
    cloud.allocate(unknown, {stale.stale_uuid: ONE_SERVER})
    cloud.allocate(typed, {stale.stale_uuid: ONE_SERVER}, consumer_type="RESERVATION_2")
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="set_allocations")
        cloud.allocate(unknown, {other.uuid: {"VCPU": 1}})
        cloud.allocate(typed, {stale.compute_uuid: ONE_SERVER}, consumer_type="RESERVATION_2")
        go_on(context, recovery_id)
    assert cloud.allocations(unknown) == {stale.compute_uuid: ONE_SERVER, other.uuid: {"VCPU": 1}}
    assert cloud.allocations(typed) == {stale.compute_uuid: ONE_SERVER}
    assert cloud.consumer(typed)["consumer_type"] == "RESERVATION_2"
