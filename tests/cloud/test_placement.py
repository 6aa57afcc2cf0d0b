"""Placement's client against the real one: reads, and writes that are conditional, typed, and all or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.cloud.model import Consumer, Inventory
from placement_recovery.cloud.placement import CONCURRENT_UPDATE, HAS_CHILDREN, PROVIDER_IN_USE, Placement, batches
from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from placement_recovery.errors import ApiConflict, ApiNotFound, ApiRejected
from testkit.cloud import new_name
from testkit.placement import NOVA_INVENTORIES, ONE_SERVER
from testkit.rows import PROJECT, USER, new_uuid


@pytest.fixture(scope="module")
def placement(cloud):
    """The client, logged in to the test cloud."""
    config = Config.from_mapping(cloud.config())
    return Placement(connect(config)[1], config)


def test_a_provider_is_described_with_all_that_it_carries(cloud, placement):
    """At the generation at which it was read."""
    aggregate, name = new_uuid(), new_name()
    uuid = cloud.provider(name, traits=["COMPUTE_NODE", "CUSTOM_FAST"], aggregates=[aggregate])
    found = placement.describe(placement.show_provider(uuid))
    assert (found.uuid, found.name, found.parent_uuid, found.root_uuid) == (uuid, name, None, uuid)
    assert found.generation == cloud.show_provider(uuid)["generation"]
    assert (found.traits, found.aggregates) == (("COMPUTE_NODE", "CUSTOM_FAST"), (aggregate,))
    assert found.inventories["VCPU"] == Inventory(16, 0, 1, 16, 1, 4.0)
    assert set(found.inventories) == set(NOVA_INVENTORIES)


def test_providers_are_found_by_their_exact_name(cloud, placement):
    """Not by a part of it, whatever characters it has."""
    name = f"{new_name()} a&b=c/ü%20"
    uuid = cloud.provider(name)
    assert [one.uuid for one in placement.list_providers(name=name)] == [uuid]
    assert placement.list_providers(name=name[:-1]) == ()


def test_a_tree_is_listed_from_any_of_its_providers(cloud, placement):
    """Root, child and grandchild."""
    root = cloud.provider(new_name())
    child = cloud.provider(new_name(), parent=root, inventories={}, traits=())
    grandchild = cloud.provider(new_name(), parent=child, inventories={}, traits=())
    for one in (root, child, grandchild):
        assert {found.uuid for found in placement.list_providers(in_tree=one)} == {root, child, grandchild}


def test_a_provider_that_is_not_there_is_an_error(placement):
    """404."""
    with pytest.raises(ApiNotFound):
        placement.show_provider(new_uuid())


def test_consumers_are_read_with_all_that_they_hold(cloud, placement):
    """On all providers; Nova's untyped ones have no type, who holds nothing has no generation."""
    one, other, server = cloud.provider(new_name()), cloud.provider(new_name()), new_uuid()
    cloud.allocate(server, {one: ONE_SERVER, other: {"VCPU": 2}})
    found = placement.show_consumer(server)
    assert found == Consumer(server, PROJECT, USER, found.generation, {one: ONE_SERVER, other: {"VCPU": 2}})
    assert placement.consumers_of(one) == {server: ONE_SERVER}
    assert placement.usages(other)["VCPU"] == 2
    assert placement.show_consumer(new_uuid()).generation is None


@pytest.mark.parametrize("kind", ["", "INSTANCE", "ZUN"])
def test_a_consumer_is_emptied_and_given_its_own_again(cloud, placement, kind):
    """As it was, its type included."""
    provider, server = cloud.provider(new_name()), new_uuid()
    cloud.allocate(server, {provider: ONE_SERVER}, consumer_type=kind)
    before = placement.show_consumer(server)
    placement.set_consumers([before.holding({})])
    assert placement.show_consumer(server).generation is None
    placement.set_consumers([replace(before, generation=None)])
    after = placement.show_consumer(server)
    assert (after.allocations, after.type) == (before.allocations, kind)


def test_one_stale_generation_and_nothing_is_written(cloud, placement):
    """All consumers in one transaction."""
    provider, servers = cloud.provider(new_name()), [new_uuid(), new_uuid()]
    cloud.allocate_new(servers, {provider: ONE_SERVER})
    read = [placement.show_consumer(one) for one in servers]
    cloud.allocate(servers[1], {provider: {"VCPU": 3}})
    with pytest.raises(ApiConflict) as caught:
        placement.set_consumers([one.holding({}) for one in read])
    assert caught.value.code == CONCURRENT_UPDATE
    assert set(placement.consumers_of(provider)) == set(servers)


def test_what_does_not_fit_is_refused_and_nothing_is_written(cloud, placement):
    """One unit too much for two."""
    provider, servers = cloud.provider(new_name(), inventories={"VCPU": 3}), [new_uuid(), new_uuid()]
    wanted = [Consumer(one, PROJECT, USER, None, {provider: {"VCPU": 2}}) for one in servers]
    with pytest.raises(ApiConflict, match="Unable to allocate inventory"):
        placement.set_consumers(wanted)
    assert placement.consumers_of(provider) == {}


def test_a_provider_that_does_not_exist_cannot_be_allocated(placement):
    """400."""
    with pytest.raises(ApiRejected):
        placement.set_consumers([Consumer(new_uuid(), PROJECT, USER, None, {new_uuid(): ONE_SERVER})])


def test_a_provider_in_use_is_not_deleted(cloud, placement):
    """Nor one with a child; one that is gone is no error."""
    used, parent = cloud.provider(new_name()), cloud.provider(new_name())
    cloud.allocate(new_uuid(), {used: ONE_SERVER})
    cloud.provider(new_name(), parent=parent, inventories={}, traits=())
    for uuid, code in ((used, PROVIDER_IN_USE), (parent, HAS_CHILDREN)):
        with pytest.raises(ApiConflict) as caught:
            placement.delete_provider(uuid)
        assert caught.value.code == code
    free = cloud.provider(new_name())
    assert placement.delete_provider(free) is True
    assert placement.delete_provider(free) is False


def test_settings_are_written_at_the_generation_that_was_read(cloud, placement):
    """Who comes second meets a conflict, and nothing of the first is lost."""
    read = placement.describe(placement.show_provider(cloud.provider(new_name())))
    placement.create_trait("CUSTOM_FIRST")
    placement.create_trait("CUSTOM_FIRST")
    placement.set_traits(read, ["CUSTOM_FIRST"])
    for write, value in (
        (placement.set_traits, ["COMPUTE_NODE"]), (placement.set_aggregates, [new_uuid()]),
        (placement.set_inventories, {"VCPU": Inventory(1, 0, 1, 1, 1, 1.0)}),
    ):
        with pytest.raises(ApiConflict) as caught:
            write(read, value)
        assert caught.value.code == CONCURRENT_UPDATE
    assert cloud.traits(read.uuid) == {"CUSTOM_FIRST"}


def test_a_trait_in_use_is_not_deleted(cloud, placement):
    """It is left to who bears it."""
    name = f"CUSTOM_{new_uuid().replace('-', '_').upper()}"
    uuid = cloud.provider(new_name(), traits=[name])
    assert placement.delete_trait(name) is False
    cloud.set_traits(uuid, [])
    assert placement.delete_trait(name) is True
    assert placement.delete_trait(name) is False


def consumer(uuid, kind=""):
    """A consumer of a type."""
    return Consumer(uuid, "p", "u", 1, {}, kind)


@pytest.mark.parametrize(("most", "sizes"), [(500, [3, 2]), (2, [2, 1, 2]), (1, [1, 1, 1, 1, 1]), (3, [3, 2])])
def test_batches_are_of_one_kind_and_no_longer_than_asked(most, sizes):
    """Typed and untyped consumers need different microversions."""
    given = [consumer("d", "INSTANCE"), consumer("b"), consumer("a"), consumer("e", "ZUN"), consumer("c")]
    found = batches(given, most)
    assert [len(batch) for batch in found] == sizes
    assert [one.uuid for batch in found for one in batch] == ["a", "b", "c", "d", "e"]
    assert all(len({bool(one.type) for one in batch}) == 1 for batch in found)
    assert batches([], most) == []
