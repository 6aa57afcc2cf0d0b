"""A write without a generation that was not answered: nothing ends before it can no longer be carried out.

The story's clock lets what is late arrive while the library waits it out.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.errors import ApiUnreachable, StepFailed, VerificationFailed
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.service import disabled_reason
from testkit.driving import HastyClock, Killed, Meddler, begin, go_on, open_hasty, roll_back, watched
from testkit.looks import disabled_by, enabled, holdings, lock_traits, moved
from testkit.placement_tables import placement_tables
from testkit.sampling import sampled

WAIT = 900
REPLACE = "replace_resource_provider"


class LateClock(HastyClock):
    """In each long sleep `arrive` is called, once; `waited` are those sleeps. They take no time."""

    def __init__(self):
        super().__init__()
        self.waited = []
        self.arrive = None

    def sleep(self, seconds):
        """What is late arrives in the middle of it."""
        if seconds < WAIT / 2:
            return super().sleep(seconds)
        self.waited.append(seconds)
        self._skipped += seconds
        arrive, self.arrive = self.arrive, None
        return arrive() if arrive else None


def lost(act=lambda: None):
    """A request whose answer does not come; `act` is what was done of it at once."""

    def tell():
        act()
        raise ApiUnreachable("placement: got no answer")

    return tell


@pytest.fixture
def context(cloud):
    """One that waits late writes out for a quarter of an hour of its clock."""
    return replace(open_hasty(cloud.config(late_write_wait=WAIT, acceptance_wait=150)), clock=LateClock())


@pytest.fixture
def unanswered(cloud, context):
    """A host whose recovery met no answer to the rename of its stale root: its id, and how to carry it out late."""
    stale = cloud.stale_host(servers=2)
    before, meddler = placement_tables(cloud), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    path = f"/resource_providers/{stale.stale_uuid}"
    meddler.before("PUT", path, lost())
    with pytest.raises(ApiUnreachable):
        run_step(watched(context, meddler), recovery_id, REPLACE)

    def rename():
        cloud.placement.call("PUT", path, {"name": stale_name(stale.node, recovery_id)})

    return stale, recovery_id, rename, before


def test_a_rename_that_comes_in_time_after_a_rollback_is_seen_before_anything_is_enabled(cloud, context, unanswered):
    """It would have freed the name of an enabled host; rolled back again, all is as it was."""
    stale, recovery_id, rename, before = unanswered
    context.clock.arrive = rename
    with pytest.raises(VerificationFailed, match=f"the name {stale.node} is borne by no provider.*Nothing is enabled"):
        roll_back(context, recovery_id)
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    assert context.journal(recovery_id).progress.state == "open"
    roll_back(context, recovery_id)
    assert placement_tables(cloud) == before
    assert cloud.service(stale.host).items() >= enabled().items()


def test_a_rollback_does_not_end_before_the_wait_is_over(context, unanswered):
    """Also where nothing comes."""
    recovery_id = unanswered[1]
    roll_back(context, recovery_id)
    assert sum(context.clock.waited) > WAIT - 300
    assert context.journal(recovery_id).progress.state == "rolled_back"


def test_a_recovery_does_not_end_before_the_wait_is_over(cloud, context, finish, unanswered):
    """The service stays disabled until then, though all was verified."""
    stale, recovery_id, _, _ = unanswered
    seen = []
    context.clock.arrive = lambda: seen.append(cloud.service(stale.host))
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert seen == [disabled_by(recovery_id)]
    assert sum(context.clock.waited) > WAIT - 300
    assert cloud.service(stale.host) == enabled()


@pytest.mark.parametrize(
    ("method", "path"),
    sampled(
        [("PUT", "/resource_providers/{stale}"), ("POST", "/resource_providers"), ("PUT", "{new}/traits")], several=True
    ),
    ids=["the rename", "the new root", "its first traits"],
)
def test_what_was_carried_out_though_nobody_answered(cloud, context, finish, method, path):
    """The resume sees it, and goes on from there."""
    stale, meddler = cloud.stale_host(servers=2), Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    meddler.after(method, path.format(stale=stale.stale_uuid, new=stale.compute_uuid), lost())
    with pytest.raises(ApiUnreachable, match="resume_recovery"):
        run_step(watched(context, meddler), recovery_id, REPLACE)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert context.clock.waited


@pytest.mark.long
def test_the_proof_of_the_conflict_is_not_answered_and_comes_late(cloud, context, finish, unanswered):
    """Late, the POST of the new root is refused, for the stale one has the name."""
    stale, recovery_id, _, before = unanswered
    roll_back(context, recovery_id)
    meddler = Meddler()
    second = begin(context, stale.host, "transplant")
    go_on(context, second, before=REPLACE)
    meddler.before("POST", "/resource_providers", lost())
    with pytest.raises(ApiUnreachable):
        run_step(watched(context, meddler), second, REPLACE)
    context.clock.arrive = lambda: cloud.placement.session.post(  # answered 409
        f"{cloud.lab.placement_url}/resource_providers", json={"uuid": stale.compute_uuid, "name": stale.node},
        raise_exc=False,
    )
    roll_back(context, second)
    assert placement_tables(cloud) == before


def test_the_delete_of_the_stale_root_comes_late(cloud, context, finish):
    """It is deleted by the resume; what comes then finds nothing."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="wait_for_nova_compute")
    meddler.before("DELETE", "/resource_providers", lost())
    with pytest.raises(ApiUnreachable):
        run_step(watched(context, meddler), recovery_id, "delete_resource_provider")
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert context.clock.waited


def test_the_switch_that_disables_comes_late(cloud, context):
    """The recovery is abandoned, but not before the switch can no longer come: no host is left disabled."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    context.clock.arrive = lambda: cloud.set_service(
        stale.host, disabled=True, disabled_reason=disabled_reason(recovery_id)
    )
    meddler.before("PUT", "/os-services", lost())
    with pytest.raises(ApiUnreachable, match="nothing was taken away"):
        go_on(watched(context, meddler), recovery_id)
    assert len(context.clock.waited) == 1
    assert cloud.service(stale.host) == enabled()
    assert lock_traits(cloud, recovery_id) == []
    assert context.journal(recovery_id).progress.state == "abandoned"


def test_the_switch_that_enables_is_not_answered(cloud, context, finish):
    """The recovery stays open; the resume gives the service back and ends after the wait."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="verify_recovery")
    meddler.before("PUT", "/os-services", lost())
    with pytest.raises(ApiUnreachable, match="resume_recovery"):
        run_step(watched(context, meddler), recovery_id, "close_recovery")
    assert context.clock.waited == []
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert cloud.service(stale.host) == enabled()
    assert context.clock.waited


def test_a_kill_may_have_left_such_a_write_too(cloud, context, finish):
    """Whoever resumes cannot know what the dead process had sent."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    meddler.before("PUT", f"/resource_providers/{stale.stale_uuid}", Killed.die)
    with pytest.raises(Killed):
        run_step(watched(context, meddler), recovery_id, REPLACE)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert sum(context.clock.waited) > WAIT - 300


def test_where_all_was_answered_nothing_is_waited_for(cloud, context, finish):
    """The usual case takes no longer."""
    stale = cloud.stale_host(servers=1)
    assert finish(context, stale, begin(context, stale.host, "transplant")).progress.state == "finished"
    assert context.clock.waited == []


@pytest.mark.parametrize("root", sampled(["stale", "new"]))
def test_a_rename_of_the_rollback_comes_late(cloud, context, root):
    """It is rolled back again; what comes then finds the name as it shall be, or no root."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    before = placement_tables(cloud)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    roll_back(context, recovery_id, until="return_allocations")
    uuid = {"stale": stale.stale_uuid, "new": stale.compute_uuid}[root]
    meddler.before("PUT", f"/resource_providers/{uuid}", lost())
    with pytest.raises(ApiUnreachable, match="rollback_recovery"):
        run_step(watched(context, meddler), recovery_id, "return_provider_name")
    roll_back(context, recovery_id)
    assert context.clock.waited
    assert placement_tables(cloud) == before


@pytest.mark.long
def test_a_rename_of_the_rollback_comes_late_when_the_way_is_forward_again(cloud, context, finish):
    """It sets aside the root that nova-compute has accepted: seen before anything is enabled, and turned round."""
    stale, meddler = cloud.stale_host(servers=1), Meddler()
    before, new = holdings(cloud, stale.servers), f"/resource_providers/{stale.compute_uuid}"
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    roll_back(context, recovery_id, until="return_allocations")
    meddler.before("PUT", new, lost())
    with pytest.raises(ApiUnreachable):
        run_step(watched(context, meddler), recovery_id, "return_provider_name")
    cloud.set_traits(stale.compute_uuid, {*cloud.traits(stale.compute_uuid), "COMPUTE_NODE"})
    with pytest.raises(StepFailed, match="finish forward"):
        roll_back(context, recovery_id)
    aside = {"name": stale_name(stale.node, recovery_id, 99)}
    context.clock.arrive = lambda: cloud.placement.call("PUT", new, aside)
    with pytest.raises(VerificationFailed, match=r"a late write was carried out\. Nothing is enabled"):
        finish(context, stale, recovery_id)
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    assert finish(context, stale, recovery_id).progress.state == "finished"
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.find_provider(stale.node) == stale.compute_uuid


@pytest.mark.long
def test_a_rollback_where_all_was_answered_waits_for_nothing_either(cloud, context):
    """Its first step is under way itself, which is no death."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    roll_back(context, recovery_id)
    assert context.clock.waited == []
