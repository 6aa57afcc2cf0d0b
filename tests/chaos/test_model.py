"""Random hosts, random faults, and others who go on with their own work in between: nothing of anyone's is lost.

Five hosts here; `make chaos` tries as many as it is asked for.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, List

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from placement_recovery.plan.case import Request
from placement_recovery.records.record import BACK, FINISHED, OPEN
from placement_recovery.recovery.planning import plan_recovery
from testkit.chaos.process import AFTER, ANSWERS, BEFORE, DONE, NOTHING, READ, RECORD, SENT, WRITE, Blow
from testkit.chaos.tally import EXAMPLES, SEED, Tally
from testkit.chaos.world import World
from testkit.driving import begin, open_hasty

STEPS = 6
KINDS = ("server", "spread_server", "resized_server", "moved_server", "deleted_server")
CHANGES = ("delete_server", "move_server", "touch", "grow_elsewhere", "confirm_resize")
# One that hangs costs its time-out.
BLOWS = (BEFORE, SENT, AFTER, *(one for one in ANSWERS if one != "stall"))


class Recoveries(RuleBasedStateMachine):
    """One host and all that is done to it and to its recoveries. The judge is the world, after each recovery's end."""

    def __init__(self, cloud: Any, roads: Any, tally: Tally) -> None:
        super().__init__()
        self._cloud, self._roads, self._tally = cloud, roads, tally
        self._open = ExitStack()
        self._recovery = ""
        self._blow = NOTHING
        self._over = False
        self._sound = False

    @initialize(
        kinds=st.lists(st.sampled_from(KINDS), max_size=5), method=st.sampled_from(["preserve", "discard"]),
        batch=st.sampled_from([1, 2, 100]), late=st.booleans(), child=st.booleans(),
    )
    def break_the_host(self, kinds: List[str], method: str, batch: int, late: bool, child: bool) -> None:
        """With these consumers; nova-compute makes its new provider at once, or not before its restart."""
        self._world, self._method = World.of(self._cloud), method
        for kind in kinds:
            getattr(self._world, f"add_{kind}")()
        if method == "discard":
            self._world.discard()
        config = self._roads.config(batch_size=batch, provider_wait=8, periodic_wait=4)
        self._config, self._context = config, open_hasty(config)
        host = self._world.stale.host
        self._compute = self._open.enter_context(
            self._cloud.nova_compute(host, interval=0.1, only_after_restart=late)
        )
        if child:
            self._refuse_for_a_child()
        self._sound = True

    def _refuse_for_a_child(self) -> None:
        stale = self._world.stale
        name = f"{stale.node}-pci"
        uuid = self._cloud.provider(name, parent=stale.stale_uuid, inventories={"CUSTOM_PCI": 1}, traits=())
        plan = plan_recovery(self._context, stale.host, Request(self._method))[1]
        assert any(name in one for one in plan.refusals), plan.refusals
        self._cloud.delete_provider(uuid)

    # what happens to the next attempt

    @rule(number=st.integers(1, 16), what=st.sampled_from(BLOWS), at=st.sampled_from([WRITE, RECORD, READ]))
    def hit(self, number: int, what: str, at: str) -> None:
        """The next attempt is hit there. Only a death can come at a write of the record."""
        self._blow = Blow(what if at == WRITE or what in ANSWERS else BEFORE, at, number)

    # others

    @rule(change=st.sampled_from(CHANGES), pick=st.integers(0, 99))
    def change(self, change: str, pick: int) -> None:
        """Somebody does something between two attempts."""
        self._world.do(change, pick)

    @rule(change=st.sampled_from(CHANGES), pick=st.integers(0, 99), number=st.integers(1, 16))
    def change_in_the_very_moment(self, change: str, pick: int, number: int) -> None:
        """Somebody does something right before a write of the next attempt is carried out."""
        self._roads.act_at(number, lambda: self._world.do(change, pick))

    @rule()
    def restart(self) -> None:
        """Somebody restarts nova-compute."""
        self._compute.restarted()

    # the recovery

    @precondition(lambda self: not self._over)
    @rule(back=st.sampled_from([False, False, True]))
    def work(self, back: bool) -> None:
        """One attempt at it, forward or back, with all that was prepared."""
        if not self._recovery:
            self._recovery = begin(self._context, self._world.stale.host, self._method)
        self._sound = False
        self._roads.attempt(self._config, self._recovery, back, self._blow)
        self._blow = NOTHING
        self._judge()
        self._sound = True

    def _judge(self) -> None:
        state = self._context.journal(self._recovery).progress.state
        if state != OPEN:
            problems = self._world.problems(self._context, self._recovery)
            assert not problems, problems
            self._recovery, self._over = "", state == FINISHED

    def teardown(self) -> None:
        """In the end, with nobody in the way, the host is recovered."""
        with self._open:
            if self._sound:
                self._sound = False
                self._compute.restarted()
                self._config = {**self._config, "provider_wait": 120}
                for back in (self._going_back(), False):
                    if not self._over:
                        self._finish(back)
                self._sound = True
        self._tally.topology(self._sound)

    def _going_back(self) -> bool:
        return bool(self._recovery) and self._context.journal(self._recovery).progress.direction == BACK

    def _finish(self, back: bool) -> None:
        if not self._recovery:
            self._recovery = begin(self._context, self._world.stale.host, self._method)
        ended = self._roads.attempt(self._config, self._recovery, back)
        assert ended.how == DONE, "the last attempt failed; see the output"
        self._judge()


def test_nothing_is_lost_whatever_happens(cloud, roads, tally):
    """A host, some steps of everybody's, and the judgement."""
    run_state_machine_as_test(
        lambda: Recoveries(cloud, roads, tally),
        settings=settings(
            settings.default, max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=not SEED, database=None,
            phases=[Phase.generate],  # to look for a smaller example would take hours
        ),
    )
