"""Two runs of one recovery at once, such as two resumes: the later one takes it over, and the earlier one notices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Union

import pytest

from placement_recovery.errors import PlacementRecoveryError, RecoveryUnderWay
from placement_recovery.recovery.engine import run_step
from testkit.driving import begin, go_on, step_names
from testkit.looks import disabled_by, enabled, lock_traits
from testkit.placement import ONE_SERVER


def test_the_earlier_run_stops_and_undoes_nothing(cloud, context):
    """Its next step is refused; the service stays disabled and the lock held for the run that goes on."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    earlier = run_step(context, recovery_id, "lock_provider").attempt
    go_on(context, recovery_id, until="disable_compute_service")
    with pytest.raises(RecoveryUnderWay, match="has taken over"):
        run_step(context, recovery_id, "delete_allocations", earlier)
    assert cloud.allocations(stale.servers[0]) == {stale.stale_uuid: ONE_SERVER}
    assert cloud.service(stale.host).items() >= disabled_by(recovery_id).items()
    assert context.journal(recovery_id).attempt.upper() in "".join(cloud.traits(stale.stale_uuid))


def test_a_run_that_was_taken_over_in_the_middle_of_a_step_writes_nothing_more(cloud, context):
    """What it was about to record is refused, so the later run's record stands."""
    stale = cloud.stale_host(servers=1)
    recovery_id = begin(context, stale.host)
    earlier = context.journal(recovery_id)
    later = run_step(context, recovery_id, "save_allocations").attempt
    with pytest.raises(RecoveryUnderWay):
        earlier.pass_no_return()
    assert context.journal(recovery_id).attempt == later
    assert not context.journal(recovery_id).progress.past_no_return


@pytest.mark.long
def test_two_resumes_at_once(cloud, context):
    """However their steps fall, every server holds its part once, and nothing of either is left behind."""
    stale = cloud.stale_host(servers=5)
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="delete_allocations")
    with cloud.nova_compute(stale.host), ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda _: resume(context, recovery_id), range(2)))
        if "finished" not in ends:  # each stopped the other
            assert resume(context, recovery_id) == "finished"
    assert [cloud.allocations(one) for one in stale.servers] == [{stale.compute_uuid: ONE_SERVER}] * 5
    assert cloud.service(stale.host).items() >= enabled().items()
    assert lock_traits(cloud, recovery_id) == []


def resume(context: Any, recovery_id: str) -> Union[str, PlacementRecoveryError]:
    """As the workflow does it: the first step gives the run, the others bear it."""
    try:
        result = run_step(context, recovery_id, "save_allocations")
        for name in step_names()[1:]:
            result = run_step(context, recovery_id, name, result.attempt)
    except PlacementRecoveryError as error:
        return error
    return result.state
