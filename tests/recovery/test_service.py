"""The compute service's switch: off while the host looks empty, and in the end as it was, unless others changed it."""

from __future__ import annotations

import pytest

from placement_recovery.errors import StepFailed
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.service import give_back_service_early
from testkit.driving import Meddler, begin, go_on, recover, watched
from testkit.looks import disabled_by, enabled, lock_traits


def maintenance():
    """The row of a service that an operator has disabled."""
    return {"disabled": True, "disabled_reason": "maintenance: call Bo", "forced_down": False}


def test_the_reason_names_the_recovery_from_before_the_first_write(cloud, context):
    """Whoever looks at the service knows whom to ask; what is written to Nova goes before what is taken away."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="disable_compute_service")
    assert recovery_id in cloud.service(stale.host)["disabled_reason"]
    assert not cloud.service(stale.host)["disabled_reason"].startswith("AUTO: ")
    assert cloud.allocations(stale.servers[0]).keys() == {stale.stale_uuid}


def test_a_service_that_was_disabled_stays_so_with_its_reason(cloud, context):
    """Not one write to it, all the time."""
    stale = cloud.stale_host(servers=1, disabled=True, disabled_reason="maintenance: call Bo")
    mark = cloud.nova_mark()
    with cloud.nova_compute(stale.host, interval=0.1):
        recover(context, stale.host)
    assert cloud.service(stale.host) == maintenance()
    assert cloud.nova_writes_since(mark) == []


def test_a_service_that_somebody_else_changed_meanwhile_is_left(cloud, context):
    """Another reason is another's decision; so is an enabled service."""
    stale = cloud.stale_host(servers=0)
    recovery_id = begin(context, stale.host)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="close_recovery")
        cloud.set_service(stale.host, disabled_reason="maintenance: call Bo")
        told = run_step(context, recovery_id, "close_recovery").summary
    assert cloud.service(stale.host) == maintenance()
    assert "is disabled, and not by this recovery: left so" in told


def test_a_service_that_was_enabled_by_hand_between_is_disabled_with_its_old_reason_again(cloud, context):
    """It was disabled before; a resume disabled it anew, for the host still looked empty."""
    stale = cloud.stale_host(servers=1, disabled=True, disabled_reason="maintenance: call Bo")
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    cloud.set_service(stale.host, disabled=False, disabled_reason=None)
    run_step(context, recovery_id, "disable_compute_service")
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert cloud.service(stale.host) == maintenance()


def test_the_service_may_be_given_back_by_hand_only_while_the_host_is_whole(cloud, context):
    """Before anything is taken away, and after all was verified."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="disable_compute_service")
    assert "is enabled again" in give_back_service_early(context, context.journal(recovery_id))
    assert cloud.service(stale.host) == enabled()
    go_on(context, recovery_id, until="delete_allocations")
    with pytest.raises(StepFailed, match=f"service of {stale.host} stays disabled: its allocations are not back yet"):
        give_back_service_early(context, context.journal(recovery_id))
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="verify_recovery")
        give_back_service_early(context, context.journal(recovery_id))
    assert cloud.service(stale.host) == enabled()


def test_the_claim_goes_before_the_service_is_enabled(cloud, context):
    """nova-compute writes its provider's traits right after, and would bring the lock's back."""
    stale, meddler, seen = cloud.stale_host(servers=0), Meddler(), []
    recovery_id = begin(context, stale.host)
    meddler.before("PUT", "/os-services", lambda: seen.extend(lock_traits(cloud, recovery_id)))
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, before="close_recovery")
        assert lock_traits(cloud, recovery_id) != []
        run_step(watched(context, meddler), recovery_id, "close_recovery")
    assert (seen, meddler.acts) == ([], [])
    assert cloud.service(stale.host) == enabled()
