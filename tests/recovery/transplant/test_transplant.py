"""transplant: the new root is made for nova-compute, all consumers move onto it, and none is ever without its part."""

from __future__ import annotations

import pytest

from testkit.driving import open_hasty, recover
from testkit.looks import enabled, holdings, lock_traits, moved
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid

POOL = "CUSTOM_POOL"


@pytest.fixture(scope="module")
def story(cloud):
    """A host recovered so: servers, one that also holds a part elsewhere, one that moved away, a stranger."""
    shared = new_uuid()
    stale, elsewhere = cloud.stale_host(servers=3, aggregates=[shared]), cloud.healthy_host()
    spread, away, stranger = cloud.server(host=stale.host), cloud.server(host=elsewhere.host), new_uuid()
    cloud.allocate(spread, {stale.stale_uuid: ONE_SERVER, elsewhere.uuid: {"DISK_GB": 7}}, consumer_type="INSTANCE")
    cloud.allocate(away, {stale.stale_uuid: ONE_SERVER, elsewhere.uuid: ONE_SERVER})
    cloud.allocate(stranger, {stale.stale_uuid: ONE_SERVER})
    kept = (*stale.servers, spread, stranger)
    before = holdings(cloud, kept)
    with cloud.nova_compute(stale.host, interval=0.1):
        journal = recover(open_hasty(cloud.config()), stale.host, "transplant")
    return stale, elsewhere, away, before, shared, journal


def test_everybody_holds_the_new_root_as_the_stale_one(cloud, story):
    """Parts on other providers and consumers' types stay; who moved away keeps what it holds there."""
    stale, elsewhere, away, before, _, _ = story
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.allocations(away) == {elsewhere.uuid: ONE_SERVER}
    assert cloud.show_provider(stale.stale_uuid) is None
    assert cloud.find_provider(stale.node) == stale.compute_uuid


def test_the_new_root_carries_what_the_stale_one_did(cloud, story):
    """And nova-compute's signature; no lock is left, and the service is as it was."""
    stale, _, _, _, shared, journal = story
    assert "COMPUTE_NODE" in cloud.traits(stale.compute_uuid)
    assert cloud.aggregates(stale.compute_uuid) == {shared}
    assert lock_traits(cloud, journal.saved.id) == []
    assert cloud.service(stale.host) == enabled()
    assert journal.progress.state == "finished"
