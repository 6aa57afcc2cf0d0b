"""Nova's client against the real nova-api: pages of any size show each item once, and what is not there is told so."""

from __future__ import annotations

import pytest

from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from testkit.cloud import new_name
from testkit.rows import new_uuid


class Counting:
    """An Api that counts what it is asked; the edge of the library."""

    def __init__(self, api):
        self._api = api
        self.requested_name = []

    def get(self, path, version, params=None):
        """As Api's."""
        self.requested_name.append((path, dict(params or {})))
        return self._api.get(path, version, params)

    def greatest_microversion(self):
        """As Api's."""
        return self._api.greatest_microversion()


@pytest.fixture(scope="module")
def real(cloud):
    """The configuration and nova's Api of the test cloud."""
    config = Config.from_mapping(cloud.config())
    return config, connect(config)[0]


@pytest.fixture
def nova(real):
    """Nova in pages of one size."""

    def paged(page):
        config, api = real
        counting = Counting(api)
        return Nova(counting, config, page=page), counting

    return paged


def uuids(found):
    """The UUIDs of what was listed, in order of the alphabet; each item once."""
    return sorted(one.uuid for one in found)


PAGES = pytest.mark.parametrize("page", [1, 2, 3, 4, 1000])


@PAGES
def test_servers_are_paged(cloud, nova, page):
    """All created in the same second, so that only their UUIDs tell them apart."""
    host = new_name()
    made = cloud.servers(4, host=host)
    client, counting = nova(page)
    assert uuids(client.servers_on(host)) == sorted(made)
    assert len(counting.requested_name) == 4 // page + 1  # a full page may not be the last


@PAGES
def test_deleted_servers_are_paged(cloud, nova, page):
    """A marker may be a server that is gone; soft-deleted ones are among them, live ones are not."""
    host = new_name()
    made = cloud.servers(5, host=host)
    for server in made[:3]:
        cloud.delete_server(server)
    cloud.soft_delete_server(made[3])
    client, _ = nova(page)
    found = client.servers_on(host, deleted=True)
    assert uuids(found) == sorted(made[:4])
    assert {one.uuid for one in found if one.is_deleted} == set(made[:3])
    assert uuids(client.servers_on(host)) == [made[4]]


def moves_of(cloud, host):
    """Five moves of one server, of both roles."""
    server = cloud.server(host=host)
    moves = [cloud.migration(server, source_host=host, dest_host="b", status="error") for _ in range(3)]
    return server, moves + [cloud.migration(server, source_host="a", dest_host=host, status="done") for _ in range(2)]


@PAGES
def test_migrations_are_paged(cloud, nova, page):
    """By their UUIDs; those of a deleted server are gone."""
    host = new_name()
    server, moves = moves_of(cloud, host)
    client, _ = nova(page)
    assert uuids(client.migrations_of(host)) == sorted(moves)
    cloud.delete_server(server)
    assert client.migrations_of(host) == ()


@pytest.mark.parametrize("page", [2, 3, 1000])
def test_a_page_that_hidden_migrations_shorten_is_not_the_last(cloud, nova, page):
    """nova-api takes them out of a page that it has cut already."""
    host = new_name()
    _, moves = moves_of(cloud, host)
    for hidden in (moves[1], moves[3]):
        cloud.set_migration(hidden, hidden=True)
    client, _ = nova(page)
    assert uuids(client.migrations_of(host)) == sorted([moves[0], moves[2], moves[4]])


@PAGES
def test_hypervisors_of_all_cells_are_paged(cloud, nova, page):
    """Each once, in whatever cell it is."""
    names = [new_name() for _ in range(5)]
    for number, name in enumerate(names):
        cloud.compute(name, cell="cell2" if number % 2 else "cell1")
    client, _ = nova(page)
    try:
        found = client.hypervisors()
    finally:
        for name in names:
            cloud.delete_compute(name)
    assert len({one.uuid for one in found}) == len(found)
    assert {one.host for one in found} >= set(names)


def test_nodes_are_found_by_a_part_of_their_name(cloud, nova):
    """In all cells, in whatever case; none where no node is called so."""
    name, (client, _) = new_name(), nova(1000)
    made = {name, f"{name}0", f"{name}.example.org"}
    for number, node in enumerate(sorted(made)):
        cloud.compute(new_name(), node, cell="cell2" if number % 2 else "cell1")
    assert {one.node for one in client.hypervisors_like(name.upper())} == made
    assert client.hypervisors_like(f"{name}-nobody") == ()


@PAGES
def test_servers_of_two_cells_are_paged(cloud, nova, page):
    """A host name may be in use in both: the lists are merged across the cells."""
    host = new_name()
    made = [*cloud.servers(3, host=host, cell="cell1"), *cloud.servers(2, host=host, cell="cell2")]
    client, _ = nova(page)
    assert uuids(client.servers_on(host)) == sorted(made)


def test_a_servers_moves_are_listed_whatever_their_hosts(cloud, nova):
    """By the server."""
    server = cloud.server()
    moves = [cloud.migration(server, source_host=host, dest_host="x", status="error") for host in ("a", "b", "c")]
    client, _ = nova(2)
    assert uuids(client.migrations_of_server(server)) == sorted(moves)


def test_what_nova_does_not_know_is_none(nova):
    """404 is a fact and no failure."""
    client, _ = nova(1000)
    uuid = new_uuid()
    assert client.find_server(uuid) is None
    assert client.find_deleted_server(uuid) is None
    assert client.find_hypervisor(uuid) is None
    assert client.has_instance_actions(uuid) is False
    assert client.servers_on(new_name()) == ()
    assert client.migrations_of(new_name()) == ()


def test_a_deleted_server_is_found_among_all(cloud, nova):
    """By its UUID; a live one is not."""
    client, _ = nova(1000)
    gone, live = cloud.server(host=new_name(), name="gone"), cloud.server()
    cloud.delete_server(gone)
    found = client.find_deleted_server(gone)
    assert (found.name, found.is_deleted) == ("gone", True)
    assert client.find_deleted_server(live) is None
    assert client.has_instance_actions(gone)


def test_a_server_is_shown_with_all_that_a_plan_looks_at(cloud, nova):
    """Place, state and owner; one without a host has empty names."""
    client, _ = nova(1000)
    host = new_name()
    server = client.find_server(cloud.server(host=host, node=f"{host}.x", name="web", task_state="resize_prep"))
    assert (server.host, server.node, server.name, server.status) == (host, f"{host}.x", "web", "RESIZE")
    assert (server.task_state, server.vm_state) == ("resize_prep", "active")
    lost = client.find_server(cloud.server(vm_state="error"))
    assert (lost.host, lost.node, lost.status) == ("", "", "ERROR")
    requested = client.find_server(cloud.unscheduled_server())
    assert (requested.host, requested.status) == ("", "BUILD")


def test_services_are_shown_with_all_that_a_plan_looks_at(cloud, nova):
    """Also that of a host whose cell is down."""
    client, _ = nova(1000)
    here, there = new_name(), new_name()
    cloud.compute(here, disabled=True, disabled_reason="fan", forced_down=True, service_up=False)
    cloud.compute(there, cell="cell2")
    found = {one.host: one for one in client.services()}
    assert (found[here].status, found[here].state) == ("disabled", "down")
    assert (found[here].disabled_reason, found[here].forced_down) == ("fan", True)
    with cloud.cell_down():
        assert {one.host: one.status for one in client.services()}[there] == "UNKNOWN"
    for host in (here, there):
        cloud.delete_compute(host)


def test_a_service_is_switched_with_its_reason(cloud, nova, real):
    """Disabled with one, enabled without."""
    config, api = real
    client, host = Nova(api, config), new_name()
    cloud.compute(host)
    (service,) = (one for one in client.services() if one.host == host)
    client.set_service(service.uuid, "disabled", "recovery 0123456789")
    expected = {"disabled": True, "disabled_reason": "recovery 0123456789", "forced_down": False}
    assert cloud.service(host) == expected
    client.set_service(service.uuid, "enabled")
    assert cloud.service(host)["disabled"] is False
    cloud.delete_compute(host)
