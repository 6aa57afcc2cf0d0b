"""The reader against the real services: what a snapshot holds, how many requests it takes, and races while it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List

import pytest

from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.placement import Placement
from placement_recovery.cloud.reader import Reader
from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from placement_recovery.errors import ApiUnavailable, ApiUnreachable
from placement_recovery.plan.diagnosis import CANNOT_TELL, OTHER_FAULT, diagnose
from testkit.cloud import new_name
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid


@dataclass
class Watched:
    """An Api that notes each path, and does something before a path is asked for the first time."""

    api: object
    before: Dict[str, Callable[[], object]]
    requested_name: List[str] = field(default_factory=list)

    def get(self, path, version, params=None):
        """As Api's."""
        self.requested_name.append(path)
        self.before.pop(path, lambda: None)()
        return self.api.get(path, version, params)

    def greatest_microversion(self):
        """As Api's."""
        return self.api.greatest_microversion()


@pytest.fixture(scope="module")
def apis(cloud):
    """The configuration and both Apis of the test cloud."""
    config = Config.from_mapping(cloud.config())
    return (config, *connect(config))


@pytest.fixture
def watch(apis):
    """A reader whose requests are noted; `before` maps a path to what happens just before it is asked for."""

    def make(before=None):
        config, nova_api, placement_api = apis
        happens = before if before is not None else {}
        nova, placement = Watched(nova_api, happens), Watched(placement_api, happens)
        return Reader(Nova(nova, config), Placement(placement, config), config.concurrency), nova, placement

    return make


def test_a_snapshot_holds_host_provider_consumers_and_owners(cloud, watch):
    """All that a plan is made from."""
    stale = cloud.stale_host(servers=2, aggregates=[new_uuid()])
    reader, _, _ = watch()
    found = reader.snapshot(stale.host)
    assert (found.hypervisor.uuid, found.service.host) == (stale.compute_uuid, stale.host)
    assert found.provider_by_name.uuid == stale.stale_uuid
    assert (found.provider_by_uuid, found.owner_of_provider) == (None, None)
    assert found.tree == (found.provider_by_name,)
    assert len(found.provider_by_name.aggregates) == 1
    assert [one.uuid for one in found.consumers] == sorted(stale.servers)
    assert set(found.owners.servers) == set(stale.servers)


def test_a_snapshot_without_holders_does_not_ask_for_consumers(cloud, watch):
    """Enough for a proof."""
    stale = cloud.stale_host(servers=2)
    reader, nova, placement = watch()
    assert reader.snapshot(stale.host, holders=False).consumers == ()
    assert not any("/allocations" in path for path in placement.requested_name)
    assert not any("/servers" in path for path in nova.requested_name)


@dataclass
class Listed(Watched):
    """Notes the parameters of each list of compute nodes."""

    nodes: List[object] = field(default_factory=list)

    def get(self, path, version, params=None):
        """As Api's."""
        if path == "/os-hypervisors/detail":
            self.nodes.append(dict(params or {}))
        return super().get(path, version, params)


@pytest.fixture
def listing(apis):
    """A reader, and what its lists of compute nodes were asked with."""
    config, nova_api, placement_api = apis
    nova = Listed(nova_api, {})
    return Reader(Nova(nova, config), Placement(placement_api, config), config.concurrency), nova.nodes


def test_a_look_without_holders_lists_no_other_nodes(cloud, listing):
    """A cloud has thousands; namesakes are among those that it asks for."""
    (reader, lists), twin = listing, new_name()
    stale = cloud.stale_host(servers=0)
    cloud.compute(twin, stale.node.upper())
    found = reader.snapshot(stale.host, holders=False)
    assert lists == [{"hypervisor_hostname_pattern": stale.host}]
    assert {one.host for one in found.namesakes} == {stale.host, twin}
    cloud.delete_compute(twin)


def test_a_look_without_holders_finds_a_host_whose_node_is_called_otherwise(cloud, listing):
    """Also where another host's node bears the host's name: then it is not clear which is meant."""
    reader, _ = listing
    stale = cloud.stale_host(servers=0, node=new_name())
    assert reader.snapshot(stale.host, holders=False).hypervisor.uuid == stale.compute_uuid
    cloud.compute(new_name(), stale.host)
    assert len(reader.snapshot(stale.host, holders=False).matches) == 2


def test_a_look_without_holders_sees_a_hidden_host_that_is_called_as_the_node(cloud, listing):
    """Its node may bear the same name; others are not looked for."""
    reader, _ = listing
    stale = cloud.stale_host(servers=0)
    hidden = f"{stale.node}.example.org"
    cloud.compute(new_name(), mapped=False)
    assert reader.snapshot(stale.host, holders=False).hidden_hosts == ()
    cloud.compute(hidden, mapped=False)
    assert reader.snapshot(stale.host, holders=False).hidden_namesakes == (hidden,)
    cloud.map_host(hidden)


def test_homes_are_where_servers_live_and_what_a_resized_one_holds(cloud, apis):
    """By name and by UUID; a sharing provider is nobody's node."""
    config, nova_api, placement_api = apis
    reader = Reader(Nova(nova_api, config), Placement(placement_api, config), config.concurrency)
    here, home, source = (cloud.healthy_host() for _ in range(3))
    shared = cloud.provider(new_name(), inventories={"DISK_GB": 100})
    moved = cloud.server(host=home.host)
    resized = cloud.server(host=here.host, vm_state="resized")
    cloud.migration(moved, source_host=here.host, dest_host=home.host, status="running")
    cloud.allocate(resized, {here.uuid: ONE_SERVER, source.uuid: ONE_SERVER, shared: {"DISK_GB": 1}})
    consumers, owners = reader.show_consumers([moved, resized]), reader.owners(here.host, [moved, resized])
    known = reader.snapshot(here.host, holders=False).matches
    found = reader.with_homes(known, consumers, owners)
    assert [one.uuid for one in found] == [here.uuid, *sorted([home.uuid, source.uuid])]


def test_a_healthy_host_costs_few_requests(cloud, watch):
    """Its consumers are nobody's business."""
    host = cloud.healthy_host(servers=3)
    reader, nova, placement = watch()
    found = reader.snapshot(host.host)
    assert found.provider_by_uuid.uuid == found.provider_by_name.uuid == host.uuid
    assert len(nova.requested_name) + len(placement.requested_name) <= 6


def test_the_requests_to_nova_do_not_grow_with_live_servers(cloud, watch):
    """500 servers cost what 1 costs, and Placement one request more for each."""
    few, many = cloud.stale_host(servers=1), cloud.stale_host(servers=500, resources={"MEMORY_MB": 64})
    requested_name = {}
    for stale in (few, many):
        reader, nova, placement = watch()
        found = reader.snapshot(stale.host)
        assert len(found.consumers) == len(found.owners.servers) == len(stale.servers)
        requested_name[stale.host] = len(nova.requested_name), len(placement.requested_name)
    assert requested_name[many.host] == (requested_name[few.host][0], requested_name[few.host][1] + 499)


def test_only_what_the_lists_do_not_show_is_asked_for_one_by_one(cloud, watch):
    """A server elsewhere is; servers here, deleted ones and migrations are not."""
    stale, home = cloud.stale_host(servers=2), cloud.healthy_host()
    moved = cloud.server(host=home.host)
    move = cloud.migration(moved, source_host=stale.host, dest_host=home.host, status="error")
    for consumer in (moved, move):
        cloud.allocate(consumer, {stale.stale_uuid: ONE_SERVER})
    reader, nova, _ = watch()
    found = reader.snapshot(stale.host)
    assert set(found.owners.servers) == {*stale.servers, moved}
    assert [path for path in nova.requested_name if path.startswith("/servers/") and path != "/servers/detail"] == [
        f"/servers/{moved}"
    ]


def test_an_error_of_one_of_many_requests_is_raised(cloud, watch):
    """A snapshot is whole, or there is none."""
    stale = cloud.stale_host(servers=5)

    def away():
        raise ApiUnreachable("nobody answered")

    reader, _, _ = watch({f"/allocations/{stale.servers[3]}": away})
    with pytest.raises(ApiUnreachable, match="nobody answered"):
        reader.snapshot(stale.host)


def test_a_consumer_that_gives_its_part_back_meanwhile_is_none(cloud, watch):
    """Listed, but empty when it is looked at."""
    stale = cloud.stale_host(servers=3)
    gone = stale.servers[1]
    reader, _, _ = watch({f"/allocations/{gone}": lambda: cloud.allocate(gone, {})})
    found = reader.snapshot(stale.host)
    assert {one.uuid for one in found.consumers} == set(stale.servers) - {gone}


def test_a_provider_that_is_deleted_meanwhile_is_none(cloud, watch):
    """Named, and gone before its tree is read."""
    stale = cloud.stale_host(servers=0)
    path = f"/resource_providers/{stale.compute_uuid}"
    reader, _, _ = watch({path: lambda: cloud.delete_provider(stale.stale_uuid)})
    found = reader.snapshot(stale.host)
    assert (found.provider_by_name, found.tree) == (None, ())
    assert diagnose(found).finding == OTHER_FAULT


def test_a_cell_that_goes_down_meanwhile_is_seen(cloud, watch):
    """What is read after that leaves its migrations out, silently."""
    stale = cloud.stale_host(servers=1)
    cloud.healthy_host(cell="cell2")
    down = cloud.cell_down(tables=("services", "migrations"))
    reader, _, _ = watch({"/os-migrations": down.__enter__})
    try:
        found = reader.snapshot(stale.host)
    finally:
        down.__exit__(None, None, None)
    assert found.unreachable_hosts
    assert diagnose(found).finding == CANNOT_TELL


def test_a_cell_that_is_down_is_told_before_nova_stumbles_over_it(cloud, watch):
    """Its list of hypervisors answers 500 then, and so it is not asked for."""
    there = cloud.healthy_host(cell="cell2")
    stale = cloud.stale_host(servers=1)
    reader, nova, _ = watch()
    with cloud.cell_down():
        with pytest.raises(ApiUnavailable):
            Nova(nova.api, Config()).hypervisors()
        found = reader.snapshot(stale.host)
    assert there.host in found.unreachable_hosts
    assert nova.requested_name == ["/os-services"]


def test_a_name_that_is_neither_host_nor_node_is_nobody(cloud, watch):
    """But a provider of that name is seen all the same."""
    name = new_name()
    uuid = cloud.provider(name)
    reader, _, _ = watch()
    found = reader.snapshot(name)
    assert (found.hypervisor, found.service, found.provider_by_name.uuid) == (None, None, uuid)
    assert found.consumers == ()


def test_requests_keep_the_order_of_what_was_asked():
    """Though several are under way at once."""
    reader = Reader(None, None, concurrency=4)
    assert reader.each(lambda item: item * 2, list(range(50))) == [item * 2 for item in range(50)]
    assert reader.each(str, []) == []
