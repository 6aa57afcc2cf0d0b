"""Random hosts, random faults, and others who go on with their own work in between: nothing of anyone's is lost.

Some hosts here; `make chaos` tries as many as it is asked for.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Callable, List

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from placement_recovery.plan.case import Request
from placement_recovery.plan.method import DISCARD, TRANSPLANT
from placement_recovery.records.record import BACK, FINISHED, OPEN
from placement_recovery.recovery.planning import plan_recovery
from testkit.chaos.judgement import check
from testkit.chaos.points import waits
from testkit.chaos.process import (
    AFTER,
    ANSWERS,
    BEFORE,
    DONE,
    LATE,
    MOMENTS,
    NOTHING,
    ORPHANED,
    READ,
    RECORD,
    SENT,
    WRITE,
    Blow,
)
from testkit.chaos.tally import ALL, EXAMPLES, METHODS, SEED, SHARD, TOPOLOGIES, Tally
from testkit.chaos.tools import TOOLS, heal_homeless
from testkit.chaos.world import World
from testkit.driving import begin, open_hasty
from testkit.sampling import sampled

STEPS = 6
KINDS = ("server", "spread_server", "resized_server", "moved_server", "deleted_server", "vgpu_server")
CHANGES = ("delete_server", "move_server", "touch", "grow_elsewhere", "confirm_resize")
# One that hangs costs its time-out.
BLOWS = (BEFORE, SENT, AFTER, *(one for one in ANSWERS if one != "stall"))


class Recoveries(RuleBasedStateMachine):
    """One host and all that is done to it and to its recoveries. The judge is the world, after each recovery's end.

    What goes wrong ends the topology, not the run: it is kept in the tally, with all that happened before.
    """

    METHOD = ""

    def __init__(self, cloud: Any, roads: Any, tally: Tally) -> None:
        super().__init__()
        self._cloud, self._roads, self._tally = cloud, roads, tally
        self._open = ExitStack()
        self._recovery = ""
        self._blow = NOTHING
        self._over = False
        self._story: List[str] = []

    @initialize(
        kinds=st.lists(st.sampled_from(KINDS), max_size=5), batch=st.sampled_from([1, 2, 100]), late=st.booleans(),
        child=st.booleans(), stranger=st.booleans(), tight=st.booleans(),
    )
    def break_the_host(
        self, kinds: List[str], batch: int, late: bool, child: bool, stranger: bool, tight: bool
    ) -> None:
        """With these consumers; nova-compute takes its new provider at once, or not before its restart."""
        self._tell(f"{kinds}, batches of {batch}, late {late}, stranger {stranger}, tight {tight}")
        self._world = World.of(self._cloud)
        for kind in kinds:
            if self.METHOD == TRANSPLANT or kind != "vgpu_server":  # which makes a child
                getattr(self._world, f"add_{kind}")()
        self._alter(stranger, tight)
        config = self._roads.config(batch_size=batch, **{**waits(self.METHOD, 4), "provider_wait": 8})
        self._config, self._context = config, open_hasty(config)
        host = self._world.stale.host
        self._open.enter_context(self._roads.watched(self._world, self.METHOD))
        self._compute = self._open.enter_context(
            self._cloud.nova_compute(
                host, interval=0.3, only_after_restart=late, inventories=self._world.reported
            )
        )
        if child and self.METHOD != TRANSPLANT:
            self._refuse_for_a_child()

    def _alter(self, stranger: bool, tight: bool) -> None:
        if self.METHOD == DISCARD:
            self._world.discard()
        elif stranger:
            self._world.add_stranger()
        if tight and self.METHOD == TRANSPLANT:
            self._world.tighten()

    def _refuse_for_a_child(self) -> None:
        stale = self._world.stale
        name = f"{stale.node}-pci"
        uuid = self._cloud.provider(name, parent=stale.stale_uuid, inventories={"CUSTOM_PCI": 1}, traits=())
        plan = plan_recovery(self._context, stale.host, Request(self.METHOD))[1]
        assert any(name in one for one in plan.refusals), plan.refusals
        self._cloud.delete_provider(uuid)

    def _tell(self, what: str) -> None:
        self._story.append(what)

    # what happens to the next attempt

    @rule(number=st.integers(1, 16), what=st.sampled_from(BLOWS), at=st.sampled_from([WRITE, RECORD, READ]))
    def hit(self, number: int, what: str, at: str) -> None:
        """The next attempt is hit there. Only a death can come at a write of the record."""
        self._blow = Blow(what if at == WRITE or what in ANSWERS else BEFORE, at, number)

    @precondition(lambda self: self.METHOD == TRANSPLANT)
    @rule(number=st.integers(1, 16), what=st.sampled_from([LATE, ORPHANED]), until=st.sampled_from(MOMENTS))
    def delay(self, number: int, what: str, until: str) -> None:
        """A write of the next attempt is carried out late."""
        self._blow = Blow(what, WRITE, number, until=until)

    # others

    @rule(change=st.sampled_from(CHANGES), pick=st.integers(0, 99))
    def change(self, change: str, pick: int) -> None:
        """Somebody does something between two attempts."""
        self._tell(f"{change} {pick}")
        self._world.do(change, pick)

    @rule(change=st.sampled_from(CHANGES), pick=st.integers(0, 99), number=st.integers(1, 16))
    def change_in_the_very_moment(self, change: str, pick: int, number: int) -> None:
        """Somebody does something right before a write of the next attempt is carried out."""
        self._tell(f"{change} {pick} at write {number}")
        self._roads.act_at(number, lambda: self._world.do(change, pick))

    @precondition(lambda self: self.METHOD == TRANSPLANT and self._recovery)
    @rule(tool=st.sampled_from(sorted(TOOLS)))
    def run_a_tool(self, tool: str) -> None:
        """Another's tool runs between two attempts."""
        self._tell(tool)
        TOOLS[tool](self._world)

    @precondition(lambda self: self.METHOD == TRANSPLANT)
    @rule(tool=st.sampled_from(sorted(TOOLS)), number=st.integers(1, 16))
    def run_a_tool_in_the_very_moment(self, tool: str, number: int) -> None:
        """Another's tool runs right before a write of the next attempt is carried out."""
        self._tell(f"{tool} at write {number}")
        self._roads.act_at(number, lambda: TOOLS[tool](self._world))

    @rule()
    def restart(self) -> None:
        """Somebody restarts nova-compute."""
        self._tell("restart")
        self._compute.restarted()

    # the recovery

    @precondition(lambda self: not self._over)
    @rule(back=st.sampled_from([False, False, True]))
    def work(self, back: bool) -> None:
        """One attempt at it, forward or back, with all that was prepared."""
        self._kept(lambda: self._work(back))

    def _work(self, back: bool) -> None:
        blow, self._blow = self._blow, NOTHING
        self._begin()
        ended = self._roads.attempt(self._config, self._recovery, back, blow)
        self._tell(f"{'back' if back else 'forward'}, {blow}: {ended.how} {sorted(ended.places)}")
        self._judge()

    def _begin(self) -> None:
        if not self._recovery:
            self._recovery = begin(self._context, self._world.stale.host, self.METHOD)

    def _judge(self) -> None:
        state = self._context.journal(self._recovery).progress.state
        if state != OPEN:
            self._roads.settle()
            check(self._world, self._context, self._recovery)
            self._recovery, self._over = "", state == FINISHED

    def _kept(self, act: Callable[[], None]) -> None:
        """A failure ends this topology."""
        try:
            act()
        except AssertionError as error:
            self._over = True
            self._story.append(f"FAILED: {error}")

    def teardown(self) -> None:
        """In the end, with nobody in the way, the host is recovered."""
        if not self._story:
            return  # it never began
        with self._open:
            if not self._over:
                self._kept(self._end_well)
        if self._story[-1].startswith("FAILED"):
            self._tally.fail(TOPOLOGIES, f"{self.METHOD} topology: {'; '.join(self._story)}")
        else:
            self._tally.tried(TOPOLOGIES)

    def _end_well(self) -> None:
        self._compute.restarted()
        self._config = {**self._config, **waits(self.METHOD, 120)}
        while not self._over:
            self._begin()
            back = self._going_back()
            ended = self._roads.attempt(self._config, self._recovery, back).how
            self._tell(f"{'back' if back else 'forward'} to the end: {ended}")
            assert ended == DONE or self._is_excused(back), "the last attempt failed; see the output"
            self._judge()

    def _is_excused(self, back: bool) -> bool:
        """A late write came in the very last moment, a race is healed as it says, or nova-compute was faster."""
        turned = back and not self._going_back()
        return bool(self._roads.carried_out) or heal_homeless(self._world, self._last_error()) or turned

    def _going_back(self) -> bool:
        return self._context.journal(self._recovery).progress.direction == BACK

    def _last_error(self) -> str:
        steps = self._context.journal(self._recovery).progress.steps.values()
        return " ".join(one.error for one in steps)


@pytest.mark.parametrize("method", METHODS if ALL else sampled(reversed(METHODS)))
def test_nothing_is_lost_whatever_happens(cloud, roads, tally, method):
    """A host, some steps of everybody's, and the judgement."""
    machine = type("Recoveries", (Recoveries,), {"METHOD": method})
    examples = SHARD.share([METHODS[number % len(METHODS)] for number in range(EXAMPLES)]).count(method)
    tally.ask(TOPOLOGIES, examples)
    if examples:
        run_state_machine_as_test(
            lambda: machine(cloud, roads, tally),
            settings=settings(
                settings.default, max_examples=examples, stateful_step_count=STEPS, derandomize=not SEED,
                database=None, phases=[Phase.generate],
            ),
        )
