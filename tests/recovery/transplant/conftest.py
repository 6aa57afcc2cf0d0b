"""What the stories of transplant share: a context whose waits are short, and the end of a recovery."""

from __future__ import annotations

import pytest

from placement_recovery.recovery.engine import run_step
from testkit.driving import go_on, open_hasty, step_names

WAIT = "wait_for_nova_compute"


@pytest.fixture
def context(cloud):
    """A context of its own. A write that was not answered is waited out in no time, unless a story asks for it."""
    return open_hasty(cloud.config(late_write_wait=0, acceptance_wait=150))


@pytest.fixture(autouse=True)
def _hosts_go_with_their_story(cloud):
    """nova-api needs 10 ms and more for each host that it lists, and a recovery lists them at each step."""
    before = cloud.hosts()
    yield
    cloud.forget_hosts(but=before)


@pytest.fixture
def finish(cloud):
    """Resume a host's recovery from the top, with nova-compute's first look when it is waited for; the journal."""

    def run(context, stale, recovery_id):
        go_on(context, recovery_id, before=WAIT)
        with cloud.nova_compute(stale.host, interval=0.1):
            for name in step_names("transplant")[step_names("transplant").index(WAIT):]:
                run_step(context, recovery_id, name)
        return context.journal(recovery_id)

    return run
