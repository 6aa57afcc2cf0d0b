"""What a plan has read of the consumers serves the recovery that follows it, as far as it is true still."""

from __future__ import annotations

import json

import pytest

from placement_recovery.errors import PlanChanged
from placement_recovery.plan.case import Request
from placement_recovery.records.planned import MOST_AGE, keep_planned, planned_consumers, purge_planned
from placement_recovery.records.stores.base import PLANNED
from placement_recovery.recovery.planning import plan_ahead
from placement_recovery.recovery.steps.save_allocations import open_recovery
from testkit.cloud import new_name
from testkit.driving import HastyClock, Listener, begin, watched
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid

AT = "2026-11-26T10:00:00Z"


class At(HastyClock):
    """A clock that stands."""

    def __init__(self, now: str) -> None:
        super().__init__()
        self._now = now

    def now(self) -> str:
        """Always the same."""
        return self._now


@pytest.fixture
def save(context):
    """Save what was planned; the record's consumers by UUID, and those that were read one by one."""

    def call(host, digest):
        listener = Listener()
        journal = open_recovery(watched(context, listener), host, Request("transplant", approve=digest), "tester")[0]
        read = {path.rpartition("/")[2] for _, path in listener.heard if path.startswith("/allocations/")}
        return {one.uuid: one.consumer for one in journal.saved.consumers}, read

    return call


def test_who_did_not_change_is_not_read_again(cloud, context, save):
    """All that was saved is what Placement holds, elsewhere too."""
    stale, shared = cloud.stale_host(servers=3), cloud.provider(new_name(), inventories={"DISK_GB": 100})
    cloud.allocate(stale.servers[0], {stale.stale_uuid: ONE_SERVER, shared: {"DISK_GB": 5}})
    plan = plan_ahead(context, stale.host, Request("transplant"))
    saved, read = save(stale.host, plan.digest)
    assert read == set()
    assert saved == {uuid: context.placement.show_consumer(uuid) for uuid in stale.servers}


def test_who_changed_or_came_since_is_read_anew(cloud, context, save):
    """The generation tells."""
    stale, shared = cloud.stale_host(servers=3), cloud.provider(new_name(), inventories={"DISK_GB": 100})
    plan = plan_ahead(context, stale.host, Request("transplant"))
    changed = stale.servers[1]
    cloud.allocate(changed, {stale.stale_uuid: ONE_SERVER, shared: {"DISK_GB": 5}})
    saved, read = save(stale.host, plan.digest)
    assert read == {changed}
    assert saved[changed] == context.placement.show_consumer(changed)


def test_who_came_since_changes_the_plan(cloud, context, save):
    """As it does without a plan that was kept."""
    stale = cloud.stale_host(servers=1)
    plan = plan_ahead(context, stale.host, Request("transplant"))
    cloud.allocate(cloud.server(host=stale.host), {stale.stale_uuid: ONE_SERVER})
    with pytest.raises(PlanChanged):
        save(stale.host, plan.digest)


def test_what_a_recovery_has_saved_is_not_kept_twice(cloud, context):
    """It names projects and users."""
    stale = cloud.stale_host(servers=1)
    begin(context, stale.host)
    assert stale.stale_uuid.replace("-", "") not in context.store.ids(PLANNED)


@pytest.mark.parametrize("seconds", [MOST_AGE + 1, -1])
def test_what_is_too_old_is_not_used_and_purged(cloud, context, seconds):
    """Or what a clock ahead of this one has written."""
    stale = cloud.stale_host(servers=1)
    held = [context.placement.show_consumer(stale.servers[0])]
    minutes, rest = divmod(seconds, 60)
    later = f"2026-11-26T10:{minutes:02}:{rest:02}Z" if seconds > 0 else "2026-11-26T09:59:59Z"
    keep_planned(context.store, At(AT), stale.stale_uuid, held)
    assert set(planned_consumers(context.store, At(AT), stale.stale_uuid)) == set(stale.servers)
    assert planned_consumers(context.store, At(later), stale.stale_uuid) == {}
    purge_planned(context.store, At(later))
    assert context.store.ids(PLANNED) == ()


def test_what_was_altered_is_not_used(cloud, context, save):
    """All is read from Placement then."""
    stale = cloud.stale_host(servers=2)
    plan = plan_ahead(context, stale.host, Request("transplant"))
    key = stale.stale_uuid.replace("-", "")
    document = json.loads(context.store.get(key, PLANNED))
    document["consumers"][0]["project_id"] = new_uuid()
    context.store.put(key, PLANNED, json.dumps(document))
    saved, read = save(stale.host, plan.digest)
    assert read == set(stale.servers)
    assert saved == {uuid: context.placement.show_consumer(uuid) for uuid in stale.servers}


def test_a_plan_of_a_healthy_host_keeps_nothing(cloud, context):
    """There is nothing to recover."""
    plan_ahead(context, cloud.healthy_host(servers=1).host, Request())
    assert context.store.ids(PLANNED) == ()
