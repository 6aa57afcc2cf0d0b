"""heal_allocations on a host with the fault leaves consumers that hold nothing and have a generation all the same."""

from __future__ import annotations

import pytest

from testkit.api import Unexpected
from testkit.driving import Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import holdings, moved
from testkit.placement import ONE_SERVER


@pytest.fixture
def story(cloud):
    """Renamed and cut off; then `placement audit --delete` strips a server, and heal_allocations finds no provider."""
    stale = cloud.stale_host(servers=3)
    before = holdings(cloud, stale.servers)
    context, meddler = open_hasty(cloud.config(late_write_wait=20)), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    # The first one proves the conflict, the second one makes the root.
    meddler.before("POST", "/resource_providers", _die, 1)
    with pytest.raises(ConnectionError):
        go_on(watched(context, meddler), recovery_id)
    poisoned = stale.servers[1]
    cloud.allocate(poisoned, {})
    with pytest.raises(Unexpected, match="400"):
        cloud.allocate(poisoned, {stale.compute_uuid: ONE_SERVER})
    return stale, before, context, recovery_id


def test_a_resume_sets_what_was_saved(cloud, story):
    """At generation 0."""
    stale, before, context, recovery_id = story
    with cloud.nova_compute(stale.host, interval=0.3):
        go_on(context, recovery_id)
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert context.journal(recovery_id).progress.state == "finished"


@pytest.mark.long
def test_a_rollback_gives_back_what_was_saved(cloud, story):
    """The same way."""
    _, before, context, recovery_id = story
    roll_back(context, recovery_id)
    assert holdings(cloud, before) == before
    assert context.journal(recovery_id).progress.state == "rolled_back"


def _die() -> None:
    raise ConnectionError("cut off")
