"""A stale root that a transplant renamed is known for what it is, also where the recovery's record was lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.audit import unmatched
from placement_recovery.audit.audit import audit
from placement_recovery.plan.case import Request
from placement_recovery.plan.diagnosis import HEALTHY, SET_ASIDE
from placement_recovery.plan.stale_name import recovery_of_stale_name
from placement_recovery.records.stores import FileStore
from placement_recovery.recovery.planning import plan_recovery
from testkit.cloud import new_name
from testkit.driving import begin, go_on, open_hasty
from testkit.looks import enabled, holdings, lock_traits, moved


@pytest.fixture
def stopped(cloud, context):
    """A transplant that stopped once the stale root was renamed and the new one made: the host looks healthy."""
    stale = cloud.stale_host(servers=2)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    return stale, recovery_id


def test_an_unfinished_record_outranks_a_healthy_name(context, stopped):
    """The plan says what goes on, not that nothing is to do."""
    stale, recovery_id = stopped
    plan = plan_recovery(context, stale.host, Request())[1]
    assert (plan.diagnosis.finding, plan.state) == (HEALTHY, "refused")
    assert f"resume_recovery recovery_id={recovery_id}" in plan.refusals[0]


def test_the_audit_never_calls_a_renamed_root_left_over(cloud, context, stopped, monkeypatch):
    """Neither while its recovery is open nor where its record was lost; it never prints a delete.

    It is found before all others that match no compute node, of which not all are looked at.
    """
    stale, recovery_id = stopped
    for _ in range(3):
        cloud.provider(new_name(), traits=("COMPUTE_NODE",))
    # Other stories leave roots that were set aside in the same cloud: as many are looked at, and none besides.
    set_aside = [one for one in context.placement.list_providers() if recovery_of_stale_name(one.name)]
    monkeypatch.setattr(unmatched, "MOST_UNMATCHED", len(set_aside))
    found = [one for one in audit(context, deep=False).findings if one.subject in (stale.stale_uuid, recovery_id)]
    assert [one.kind for one in found] == ["unfinished_recovery"]
    lost = replace(context, store=FileStore(str(cloud.folder / f"lost-{recovery_id}")))
    found = [one for one in audit(lost, deep=False).findings if one.subject == stale.stale_uuid]
    assert [(one.kind, one.next) for one in found] == [
        (SET_ASIDE, f"st2 run placement_recovery.recover_host host={stale.node}")
    ]


def test_the_audit_names_a_child_that_was_set_aside_late(cloud, context):
    """It bears no COMPUTE_NODE, but the name of a recovery."""
    child = cloud.provider(f"{new_name()}_pgpu0.stale-0123456789", inventories={"VGPU": 4}, traits=())
    (found,) = [one for one in audit(context, deep=False).findings if one.subject == child]
    assert found.kind == SET_ASIDE
    assert "servers may hold it, so do not delete it by hand" in found.summary


def test_a_transplant_finishes_one_whose_record_was_lost(cloud, context, stopped):
    """With approval, for another StackStorm may be at work; the lost recovery's lock goes too."""
    stale, recovery_id = stopped
    before = holdings(cloud, stale.servers)
    lost = replace(context, store=FileStore(str(cloud.folder / f"lost-{recovery_id}")))
    plan = plan_recovery(lost, stale.host, Request("transplant"))[1]
    assert (plan.diagnosis.finding, plan.state) == (SET_ASIDE, "needs_approval")
    assert plan_recovery(lost, stale.host, Request("preserve"))[1].state == "refused"
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(lost, begin(lost, stale.host, "transplant"))
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.show_provider(stale.stale_uuid) is None
    assert lock_traits(cloud, recovery_id) == []


@pytest.mark.long
def test_a_late_rename_after_the_end_is_found_and_repaired(cloud):
    """The rollback ended; a rename that was stuck in a proxy then frees the name of an enabled host."""
    context, stale = open_hasty(cloud.config()), cloud.stale_host(servers=1)
    before = holdings(cloud, stale.servers)
    with cloud.nova_compute(stale.host, interval=0.1):
        recovery_id = begin(context, stale.host, "transplant")
        go_on(context, recovery_id)
    late = f"{stale.node}.stale-{recovery_id}"
    cloud.provider(late, stale.stale_uuid, traits=("COMPUTE_NODE",))
    cloud.allocate(stale.servers[0], {stale.stale_uuid: dict(next(iter(before[stale.servers[0]].values())))})
    plan = plan_recovery(context, stale.host, Request("transplant"))[1]
    assert (plan.diagnosis.finding, plan.state) == (SET_ASIDE, "needs_approval")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, begin(context, stale.host, "transplant"))
    assert holdings(cloud, stale.servers) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.service(stale.host) == enabled()
