"""preserve: all that is kept is held as before, on the new provider; what goes, goes with evidence.

One host with a consumer of each kind is recovered once, and each test looks at one of them.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple

import pytest

from placement_recovery.records.journal import Journal
from testkit.cloud import new_name
from testkit.driving import open_hasty, recover
from testkit.looks import Holdings, enabled, holdings, lock_traits, moved
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid

INVENTORIES = {"VCPU": 64, "MEMORY_MB": 65536, "DISK_GB": 100, "CUSTOM_LICENCE": 5}


class Story(NamedTuple):
    """A recovered host: its consumers by their names, what they held, and its recovery."""

    stale: str
    new: str
    elsewhere: str
    consumers: Dict[str, str]
    before: Holdings
    journal: Journal


def settle(cloud: Any, stale: Any, elsewhere: Any) -> Dict[str, str]:
    """Consumers of each kind."""
    here, there = stale.host, elsewhere.host
    found = {"plain": stale.servers[0]}
    for name in ("owned", "spread", "typed", "typed and spread", "gone", "soft-deleted", "stopped"):
        found[name] = cloud.server(host=here, name=name)
    for name in ("evacuated", "typed and evacuated", "resized", "failed"):
        found[name] = cloud.server(host=there, vm_state="resized" if name == "resized" else "active", name=name)
    for name in ("evacuated", "typed and evacuated"):
        cloud.migration(found[name], source_host=here, dest_host=there, status="completed", type="evacuation")
    found["to revert"] = cloud.migration(found["resized"], source_host=here, dest_host=there, type="resize")
    found["left"] = cloud.migration(found["failed"], source_host=here, dest_host=there, status="error")
    found.update({name: new_uuid() for name in ("unknown", "foreign", "reservation")})
    return found


def allot(cloud: Any, consumers: Dict[str, str], stale: str, elsewhere: str) -> None:
    """What each of them holds."""
    both = {stale: ONE_SERVER, elsewhere: {"DISK_GB": 7}}
    moved_away = {stale: ONE_SERVER, elsewhere: ONE_SERVER}
    for name in ("gone", "soft-deleted", "stopped", "unknown", "left", "to revert"):
        cloud.allocate(consumers[name], {stale: ONE_SERVER})
    cloud.allocate(consumers["owned"], {stale: {"VCPU": 3, "MEMORY_MB": 64}}, "another-project", "another-user")
    cloud.allocate(consumers["spread"], both)
    cloud.allocate(consumers["typed"], {stale: ONE_SERVER}, consumer_type="INSTANCE")
    cloud.allocate(consumers["typed and spread"], both, consumer_type="INSTANCE")
    cloud.allocate(consumers["evacuated"], moved_away)
    cloud.allocate(consumers["typed and evacuated"], moved_away, consumer_type="INSTANCE")
    for name in ("resized", "failed"):
        cloud.allocate(consumers[name], {elsewhere: ONE_SERVER})
    cloud.allocate(consumers["foreign"], {stale: {"CUSTOM_LICENCE": 1}})
    cloud.allocate(consumers["reservation"], {stale: {"VCPU": 1}}, consumer_type="RESERVATION_2")


@pytest.fixture(scope="module")
def story(cloud):
    """A host with consumers of each kind, recovered with preserve."""
    stale, elsewhere = cloud.stale_host(servers=1, inventories=INVENTORIES), cloud.healthy_host()
    consumers = settle(cloud, stale, elsewhere)
    allot(cloud, consumers, stale.stale_uuid, elsewhere.uuid)
    cloud.delete_server(consumers["gone"])
    cloud.soft_delete_server(consumers["soft-deleted"])
    cloud.set_server(consumers["stopped"], vm_state="stopped")
    before = holdings(cloud, consumers.values())
    with cloud.nova_compute(stale.host, interval=0.1):
        journal = recover(open_hasty(cloud.config(provider_wait=60, periodic_wait=60)), stale.host)
    return Story(stale.stale_uuid, stale.compute_uuid, elsewhere.uuid, consumers, before, journal)


@pytest.fixture
def held(cloud, story):
    """What the consumer of a name holds now."""
    return lambda name: cloud.allocations(story.consumers[name])


KEPT = ("plain", "owned", "spread", "typed", "typed and spread", "soft-deleted", "stopped", "to revert", "unknown",
        "foreign", "reservation")


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_holds_what_it_held_on_the_new_provider(story, held, name):
    """Servers, whatever their state; the source part of a move that can be reverted; whom nobody knows."""
    before = {name: story.before[story.consumers[name]]}
    assert {name: held(name)} == moved(before, story.stale, story.new)


@pytest.mark.parametrize("name", ["spread", "typed and spread"])
def test_a_part_on_another_provider_stays_as_it_is(story, held, name):
    """Such as a bandwidth provider, or a shared disk: it is no business of a recovery."""
    assert held(name)[story.elsewhere] == {"DISK_GB": 7}


@pytest.mark.parametrize("name", ["evacuated", "typed and evacuated"])
def test_a_server_that_moved_away_keeps_its_healthy_allocation(story, held, name):
    """Only the part on the stale provider is taken away."""
    assert held(name) == {story.elsewhere: ONE_SERVER}


@pytest.mark.parametrize("name", ["gone", "left"])
def test_what_nova_proves_to_be_left_over_is_dropped(held, name):
    """A deleted server, and what a failed move left behind."""
    assert held(name) == {}


@pytest.mark.parametrize("name", ["resized", "failed"])
def test_who_holds_nothing_here_is_not_touched(cloud, story, name):
    """The servers whose moves are looked at."""
    found = cloud.consumer(story.consumers[name])
    assert (set(found["allocations"]), found["consumer_generation"]) == ({story.elsewhere}, 1)


def test_each_consumer_keeps_its_owner(cloud, story):
    """Project and user, by which quotas are counted."""
    found = cloud.consumer(story.consumers["owned"])
    assert (found["project_id"], found["user_id"]) == ("another-project", "another-user")


def test_each_consumer_keeps_its_type(cloud, story):
    """Placement >= 1.38 keeps a type with each consumer; those with and without one go through one recovery."""
    names = ("typed", "typed and spread", "typed and evacuated", "reservation", "plain", "evacuated")
    types = [cloud.consumer(story.consumers[name])["consumer_type"] for name in names]
    assert types == ["INSTANCE", "INSTANCE", "INSTANCE", "RESERVATION_2", "unknown", "unknown"]


def test_the_new_provider_has_the_name_and_the_stale_one_is_gone(cloud, story):
    """Nobody but the kept consumers holds the new one."""
    assert cloud.show_provider(story.stale) is None
    assert cloud.show_provider(story.new)["name"] == story.journal.saved.node
    assert set(cloud.provider_allocations(story.new)) == {story.consumers[name] for name in KEPT}


def test_nothing_of_a_recovery_is_left_in_placement_and_nova(cloud, story):
    """No lock on any provider, no trait of that name, and the service is enabled."""
    assert lock_traits(cloud, story.journal.saved.id) == []
    assert cloud.traits(story.new) - {"COMPUTE_STATUS_DISABLED"} == {"COMPUTE_NODE"}
    assert cloud.service(story.journal.saved.host) == enabled()


def test_the_record_tells_what_was_decided_and_how_it_ended(story):
    """Each consumer has its disposition and evidence."""
    names = {uuid: name for name, uuid in story.consumers.items()}
    saved = story.journal.saved
    decided = {names[one.uuid]: one.disposition for one in saved.consumers}
    gone = {"evacuated": "trim", "typed and evacuated": "trim", "gone": "drop", "left": "drop"}
    assert decided == {**dict.fromkeys(KEPT, "keep"), **gone}
    assert all(one.evidence for one in saved.consumers)
    assert story.journal.progress.state == "finished"
    assert story.journal.progress.providers == {story.stale: story.new}


def test_an_unknown_consumer_may_be_dropped(cloud, context):
    """If somebody says so and approves."""
    stale, unknown = cloud.stale_host(servers=1), new_uuid()
    cloud.allocate(unknown, {stale.stale_uuid: ONE_SERVER})
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host, unknown="drop")
    assert cloud.allocations(unknown) == {}
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_the_oldest_placement_that_is_supported_will_do(cloud):
    """At microversion 1.28, without types and all that came since."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(open_hasty(cloud.config(provider_wait=60, placement_microversion="1.28")), stale.host)
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)


def test_a_host_without_any_consumer_is_recovered_by_its_node_in_another_cell(cloud, context):
    """The provider of a reinstalled host, which nobody holds any more, is in the way all the same."""
    stale = cloud.stale_host(servers=0, node=f"{new_name()}.example.org", cell="cell2")
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.node)
    assert cloud.find_provider(stale.node) == stale.compute_uuid
