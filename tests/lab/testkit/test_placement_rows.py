"""Providers and allocations are seen by Placement's API as they were meant, and what others write is told apart."""

from __future__ import annotations

from keystoneauth1.session import Session

from testkit.cloud import new_name
from testkit.request_log import Write
from testkit.rows import PROJECT, USER, new_uuid


def test_a_provider_is_made_with_all_that_belongs_to_it(cloud):
    """Inventories as totals or in full, traits, aggregates, a parent."""
    name, aggregate = new_name(), new_uuid()
    root = cloud.provider(name, inventories={"VCPU": 4, "CUSTOM_LICENCE": {"total": 3, "reserved": 1}})
    child = cloud.provider(
        new_name(), parent=root, inventories={}, traits=["CUSTOM_FAST", "HW_CPU_X86_VMX"], aggregates=[aggregate]
    )
    assert cloud.find_provider(name) == root
    assert cloud.inventories(root)["VCPU"]["total"] == 4
    assert cloud.inventories(root)["CUSTOM_LICENCE"]["reserved"] == 1
    assert cloud.traits(root) == {"COMPUTE_NODE"}
    assert cloud.show_provider(child)["parent_provider_uuid"] == root
    assert cloud.traits(child) == {"CUSTOM_FAST", "HW_CPU_X86_VMX"}
    assert cloud.aggregates(child) == {aggregate}


def test_a_provider_that_is_deleted_is_gone(cloud):
    """None, and no error, where there is none."""
    name = new_name()
    uuid = cloud.provider(name)
    cloud.delete_provider(uuid)
    assert cloud.show_provider(uuid) is None
    assert cloud.find_provider(name) is None


def test_a_consumer_is_written_as_nova_does_or_with_a_type(cloud):
    """Nova's have no type; others may."""
    provider, server, other = cloud.provider(new_name()), new_uuid(), new_uuid()
    cloud.allocate(server, {provider: {"VCPU": 2}})
    cloud.allocate(other, {provider: {"VCPU": 1}}, project="p", user="u", consumer_type="RESERVATION")
    assert cloud.provider_allocations(provider) == {server: {"VCPU": 2}, other: {"VCPU": 1}}
    plain, typed = cloud.consumer(server), cloud.consumer(other)
    assert (plain["project_id"], plain["user_id"], plain["consumer_type"]) == (PROJECT, USER, "unknown")
    assert (typed["project_id"], typed["user_id"], typed["consumer_type"]) == ("p", "u", "RESERVATION")


def test_an_allocation_is_changed_and_taken_away(cloud):
    """Over several providers, at whatever generation it has."""
    first, second, consumer = cloud.provider(new_name()), cloud.provider(new_name()), new_uuid()
    cloud.allocate(consumer, {first: {"VCPU": 1}})
    cloud.allocate(consumer, {first: {"VCPU": 1}, second: {"DISK_GB": 5}})
    assert cloud.allocations(consumer) == {first: {"VCPU": 1}, second: {"DISK_GB": 5}}
    cloud.allocate(consumer, {})
    assert cloud.allocations(consumer) == {}


def test_the_writes_of_others_are_told_from_the_tests_own(cloud):
    """Reads and seeds do not count, whatever else was tried does."""
    mark, name, missing = cloud.placement_mark(), f"CUSTOM_{new_uuid().replace('-', '_').upper()}", new_uuid()
    cloud.provider(new_name(), traits=[name])
    session: Session = cloud.placement.session
    for method, path in (("GET", "/resource_providers"), ("DELETE", f"/resource_providers/{missing}")):
        session.request(cloud.lab.placement_url + path, method, raise_exc=False)
    assert cloud.placement_writes_since(mark) == [Write("DELETE", f"/resource_providers/{missing}", 404)]


def test_writes_through_nova_are_told_apart_too(cloud):
    """The switch of a service by somebody else."""
    mark, path = cloud.nova_mark(), f"/os-services/{new_uuid()}"
    cloud.nova.get("/os-services")
    headers = {"OpenStack-API-Version": "compute 2.69"}
    cloud.nova.session.request(
        cloud.lab.nova_url + path, "PUT", json={"status": "enabled"}, headers=headers, raise_exc=False
    )
    assert cloud.nova_writes_since(mark) == [Write("PUT", f"/v2.1{path}", 404)]
