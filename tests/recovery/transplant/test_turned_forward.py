"""A rollback that nova-compute overtakes turns forward, however far it came, and the recovery finishes from there."""

from __future__ import annotations

import pytest

from placement_recovery.errors import StepFailed
from testkit.driving import Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import enabled, holdings, lock_traits, moved
from testkit.sampling import sampled


# The first such request of a rollback takes the lock.
@pytest.mark.parametrize(
    "passing", sampled([1, 2]), ids=["the new root is set aside", "and the stale one has its name again"]
)
def test_accepted_in_the_middle_of_the_names_return(cloud, passing):
    """The rollback is cut off after a rename, and nova-compute accepts the new root before it is tried again."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    context, meddler = open_hasty(cloud.config(late_write_wait=20)), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    roll_back(context, recovery_id, until="return_allocations")
    meddler.after("PUT", "/resource_providers/", _die, passing)
    with pytest.raises(ConnectionError):
        roll_back(watched(context, meddler), recovery_id)
    with cloud.nova_compute(stale.host, interval=0.3):
        cloud.set_traits(stale.compute_uuid, {*cloud.traits(stale.compute_uuid), "COMPUTE_NODE"})
        with pytest.raises(StepFailed, match="has accepted provider"):
            roll_back(context, recovery_id)
        go_on(context, recovery_id)
    assert context.journal(recovery_id).progress.state == "finished"
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.find_provider(stale.node) == stale.compute_uuid
    assert cloud.show_provider(stale.stale_uuid) is None
    assert (cloud.service(stale.host), lock_traits(cloud, recovery_id)) == (enabled(), [])


def _die() -> None:
    raise ConnectionError("cut off")
