"""Killed right before or right after any write, again and again: a resume goes on, and nothing is lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from support.placement import ONE_SERVER

from .driving import Meddler, begin, go_on, watched
from .looks import claim_traits, enabled, holdings, moved


class Killed(BaseException):
    """What nobody handles, as a SIGKILL."""


@dataclass
class Death(Meddler):
    """Comes before or after the n-th write."""

    when: str = "after"
    writes: int = 1

    def tell(self, when: str, method: str, path: str) -> None:
        """Count, and kill."""
        if when == self.when and method != "GET":
            self.writes -= 1
            if not self.writes:
                raise Killed(f"{when} {method} {path}")


def test_a_recovery_that_dies_at_every_write_ends_well(cloud, context):
    """Each resume gets one write further than the one before; only the store and the clouds are left of each."""
    own, other = "CUSTOM_RECOVERY_TEST_OWN", cloud.healthy_host()
    stale = cloud.stale_host(servers=2, traits=["COMPUTE_NODE", own])
    spread = cloud.server(host=stale.host)
    cloud.allocate(spread, {stale.stale_uuid: ONE_SERVER, other.uuid: {"DISK_GB": 7}}, consumer_type="INSTANCE")
    consumers = [*stale.servers, spread]
    before = holdings(cloud, consumers)
    recovery_id, deaths = begin(context, stale.host), []
    saved = context.journal(recovery_id).saved
    with cloud.nova_compute(stale.host, interval=0.1):
        for count in itertools.count(1):
            death = Death(when="before" if count % 2 else "after", writes=count)
            try:
                go_on(watched(context, death), recovery_id)
                break
            except Killed as killed:
                deaths.append(str(killed))
            assert context.journal(recovery_id).saved == saved
            assert cloud.allocations(spread)[other.uuid] == {"DISK_GB": 7}
    assert len(deaths) > 5
    assert {"POST", "DELETE", "PUT"} <= {one.split()[1] for one in deaths}
    assert holdings(cloud, consumers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.consumer(spread)["consumer_type"] == "INSTANCE"
    assert own in cloud.traits(stale.compute_uuid)
    assert (cloud.service(stale.host), claim_traits(cloud, recovery_id)) == (enabled(), [])
    assert context.journal(recovery_id).progress.state == "finished"


def test_a_recovery_that_died_before_it_took_anything_away_is_still_open(cloud, context):
    """Nobody undid it: the plan refuses a second one and says what to type."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    with pytest.raises(Killed):
        go_on(watched(context, Death(when="before", writes=4)), recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.stale_uuid: ONE_SERVER}
    with pytest.raises(AssertionError, match=f"recovery {recovery_id} of .* is not finished: resume it with"):
        begin(context, stale.host)
