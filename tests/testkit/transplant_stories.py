"""What every release of nova-compute must show of a transplant; its folder inherits these tests and brings the lab.

The module says which HOST comes to the lab and how its FAULT is made; tests/real/conftest.py does both.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from lab.openstack import faults
from lab.openstack.control import Resources
from lab.waiting import LogMark, wait_until
from placement_recovery.plan.method import TRANSPLANT
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.recreation import recreate_children
from testkit.driving import Killed, step_names
from testkit.operator import moved
from testkit.transplants import (
    VGPU,
    Driven,
    Times,
    add_trait,
    children,
    errors_in_periodics,
    provider_settings,
    times,
    use,
    widen_ratio,
)
from testkit.watching import Boots, Watch

ELSEWHERE = "compute-4"  # the host of each lab that takes what moves away
LEAST_SAMPLES = 300
CREATE, MOVE = ("POST", "/resource_providers"), ("POST", "/allocations")
RACED = "ResourceProviderCreationFailed"
RATIO, TRAIT = 3.5, "CUSTOM_RACK_7"


def say(text: str) -> None:
    """A figure, shown by `pytest -s`."""
    sys.stdout.write(f"\n{text}\n")


def recover_watched(operator: Any, fault: Any) -> SimpleNamespace:
    """`recover_host method=transplant` while all consumers are looked at and servers boot."""
    client, lab, host = operator.client, operator.lab, fault.host
    before, below = operator.holders(fault.stale_uuid), children(client, host)
    access = lab.mark("placement")
    with Watch(client, before, fault.stale_uuid, fault.new_uuid) as watch, Boots(client, host) as boots:
        wait_until("a boot has failed", lambda: boots.failed and watch.samples > len(before), 60)
        recovered = operator.recover(host, method="transplant")
        wait_until("a boot has landed", lambda: boots.landed, 120, lab.log(host))
    after = operator.holders(fault.new_uuid)
    errors = errors_in_periodics(lab, host)
    boots.forget()
    took = _tell(f"nova {lab.release}, servers running", watch, access, fault)
    return SimpleNamespace(
        fault=fault, before=before, below=below, after=after, watch=watch, boots=boots, recovered=recovered,
        errors=errors, took=took,
    )


def _tell(what: str, watch: Watch, access: LogMark, fault: Any) -> Times:
    took = times(access, fault.stale_uuid, fault.new_uuid)
    say(
        f"{what}: {watch.samples} samples of {len(watch.moved_at)} consumers in {watch.lasted:.0f} s, "
        f"{len(watch.gaps)} gaps; all moved {took.moved:.2f} s and accepted {took.accepted:.1f} s after the rename"
    )
    return took


class ServersRunning:
    """A whole recovery by the pack's workflow."""

    def test_no_look_at_any_consumer_finds_a_gap(self, running):
        """In all looks from before the beginning to after the end."""
        assert running.watch.gaps == []
        assert running.watch.samples > LEAST_SAMPLES

    def test_all_hold_the_new_root_as_the_stale_one(self, running):
        """Servers and the source part of a move that waits for its owner."""
        expected = moved(running.before, running.fault.stale_uuid, running.fault.new_uuid)
        assert {uuid: running.after[uuid] for uuid in running.before} == expected
        assert len(expected) >= 5

    def test_children_keep_their_uuids(self, running, operator):
        """nova-compute's own and somebody else's; both are below the new root."""
        new = running.fault.new_uuid
        assert children(operator.client, running.fault.host) == {
            name: (uuid, new) for name, (uuid, _) in running.below.items()
        }
        assert len(running.below) == 2

    def test_no_boot_lands_before_all_are_moved(self, running):
        """Those that were tried failed, and the host takes servers again."""
        early = [one for one, at in running.watch.strangers.items() if at < running.watch.all_moved_at]
        say(f"{len(running.boots.failed)} boots failed, {len(running.boots.landed)} landed, {len(early)} of them early")
        assert running.boots.failed
        assert running.boots.landed
        assert early == []

    def test_nova_compute_logs_no_error_afterwards(self, running):
        """In three periodics."""
        assert running.errors == []

    def test_the_host_is_used_as_before(self, running, operator):
        """Boot, resize, revert, delete, and a restart of nova-compute."""
        used = use(operator, running.fault.host, ELSEWHERE)
        say(f"used: {used}")
        done = ("booted", "booted with a child", "resized", "reverted", "deleted")
        assert used == {**dict.fromkeys(done, True), "errors": []}
        assert operator.client.service(running.fault.host)["status"] == "enabled"
        assert operator.locks() == []


class NovaComputeStopped:
    """nova-compute stops right before its root is replaced, and starts once all is moved."""

    def test_the_recovery_goes_on_and_nova_compute_accepts_at_its_start(self, host, operator, tmp_path):
        """No consumer is without its allocation, and no error is logged afterwards."""
        lab = operator.lab
        fault = faults.database(lab, host)
        before, access = operator.holders(fault.stale_uuid), lab.mark("placement")
        driven = Driven(lab, host, tmp_path)
        driven.before["replace_resource_provider"] = lambda: lab.stop_compute(host)
        driven.before["wait_for_nova_compute"] = lambda: lab.start_compute(host)
        with Watch(operator.client, before, fault.stale_uuid, fault.new_uuid) as watch:
            driven.run()
        what = f"nova {lab.release}, nova-compute stopped, {driven.requests} requests to Placement"
        _tell(what, watch, access, fault)

        assert watch.gaps == []
        assert watch.samples > LEAST_SAMPLES
        assert operator.holders(fault.new_uuid) == moved(before, fault.stale_uuid, fault.new_uuid)
        assert errors_in_periodics(lab, host) == []


class HeldPeriodics:
    """A periodic of nova-compute between two requests of the recovery."""

    @pytest.fixture
    def marked(self, host, operator):
        """The host's provider bears what operators set; its UUID."""
        provider = str(operator.client.provider(host)["uuid"])
        widen_ratio(operator.client, provider, RATIO)
        add_trait(operator.client, provider, TRAIT)
        operator.lab.wait_for_periodics(host)
        return provider

    @pytest.fixture
    def resources(self, host, operator):
        """Sets what the host reports beside its children, until the end of the story."""

        def report(**wanted):
            operator.lab.report_resources(host, Resources(children=VGPU, **wanted))
            operator.lab.wait_for_periodics(host)

        yield report
        report()

    @pytest.fixture
    def driven(self, host, operator, tmp_path, marked):
        """A transplant that is about to begin, with what was before, and what has to be right after it."""
        return lambda: _Begun(operator, faults.database(operator.lab, host), tmp_path)

    def test_nova_writes_before_our_traits(self, driven):
        """It puts its signature on the root at once, and nobody takes it away."""
        begun = driven()
        begun.after_children(begun.periodic)
        begun.run()
        begun.check()

    def test_nova_has_read_the_root_before_its_traits_and_writes_when_all_is_moved(self, driven):
        """Its write meets a conflict of generations; it reads again and keeps what it finds."""
        begun = driven()
        with begun.hold("before-writes") as held:
            begun.after_children(held.wait)
            begun.before["wait_for_nova_compute"] = lambda: begun.end(held)
            begun.run()
        begun.check()

    def test_nova_looks_at_the_bare_root_before_its_children_are_there(self, driven):
        """Its own child meets a conflict at each periodic until its cache is refreshed; then it takes the old one."""
        begun = driven()
        begun.meddler.after(*CREATE, begun.race)
        begun.run()
        begun.check()

    def test_nova_recreates_its_child_after_it_has_looked_at_the_bare_root(self, driven):
        """By approval, within a periodic or two; what the former child held is on nova's own."""
        begun = driven()
        begun.meddler.after(*CREATE, begun.race)
        begun.before["wait_for_nova_compute"] = begun.recreate
        began = time.monotonic()
        begun.run()
        say(f"nova {begun.lab.release}: recovered in {time.monotonic() - began:.1f} s, its child recreated")
        begun.check()

    def test_nova_makes_its_child_while_the_former_one_is_renamed_away(self, driven):
        """A recreation was killed right then; nova-compute logs no error, and a resume gives its child all."""
        begun = driven()
        begun.meddler.after(*CREATE, begun.race)
        begun.before["wait_for_nova_compute"] = begun.recreate_and_die
        begun.run()
        begun.check()

    def test_nova_has_read_the_bare_root_and_writes_when_all_is_moved(self, driven):
        """The same, with all in place when it writes."""
        begun = driven()
        with begun.hold("before-writes") as held:
            begun.meddler.after(*CREATE, held.wait)
            begun.before["wait_for_nova_compute"] = lambda: begun.end(held, RACED)
            begun.run()
        begun.check()

    def test_nova_makes_the_root_between_our_rename_and_our_post(self, driven):
        """The recovery goes on with nova's root, and nova with the children that it got."""
        begun = driven()
        with begun.hold("before-creation") as held:
            held.wait()
            renamed = ("PUT", f"/resource_providers/{begun.fault.stale_uuid}")
            begun.meddler.after(*renamed, lambda: begun.end(held, RACED), passing=1)
            begun.run()
        begun.check()

    def test_nova_narrows_between_our_widening_and_our_post(self, driven, resources, operator, host):
        """A host that shrank below what its servers hold: the move widens again, and nothing stays wide."""
        server = operator.client.boot("wide", host, flavor="large")
        resources(inventory={"VCPU": 1})
        begun = driven()
        with begun.hold("before-lookup") as held:
            held.wait()
            begun.meddler.before(*MOVE, lambda: begun.end(held))
            begun.run()
        moves = begun.meddler.counts["POST /allocations"]
        say(f"nova {operator.lab.release}, narrowed in between: {moves} POSTs of allocations")
        begun.check()

        inventory = operator.client.inventories(begun.fault.new_uuid)["VCPU"]
        assert moves == 2
        assert (inventory["total"], inventory["max_unit"], inventory["allocation_ratio"]) == (1, 1, RATIO)
        resources()
        operator.client.delete(server)

    def test_a_periodic_under_way_at_the_end_brings_no_lock_back(self, driven):
        """It writes the traits that it has read before; those of its own root never were a lock."""
        begun = driven()
        with ExitStack() as at_the_end:
            held = begun.hold("before-writes")
            begun.before["close_recovery"] = lambda: at_the_end.enter_context(held).wait()
            begun.run()
            begun.end(held)
        begun.check()

    def test_a_host_with_pinned_guests_asks_for_no_reshape(self, driven, resources):
        """The inventories of a host with PCPU precede its children, and a periodic after these finds both."""
        resources(inventory={"PCPU": 4})
        resources(inventory={"PCPU": 4}, pinned_guests=True)
        begun = driven()
        with begun.hold("before-lookup") as held:
            held.wait()
            begun.after_children(lambda: begun.end(held))
            begun.run()
        begun.check()
        assert begun.log.lines("ReshapeNeeded") == []


class _Begun(Driven):
    """A transplant on a host with a fresh fault."""

    def __init__(self, operator: Any, fault: Any, folder: Any) -> None:
        super().__init__(operator.lab, fault.host, folder)
        self.operator, self.fault = operator, fault
        self.allocations = operator.holders(fault.stale_uuid)
        self.settings = provider_settings(operator.client, fault.stale_uuid)
        self.below = children(operator.client, fault.host)
        self.log = self.lab.mark(self.host)

    def after_children(self, act: Any) -> None:
        """Act once all children are below the new root: somebody else's comes last."""
        self.meddler.after("PUT", f"/resource_providers/{self.below[f'{self.host}:agent'][0]}", act)

    def hold(self, point: str) -> Any:
        """Holds nova-compute's next periodic there."""
        return self.lab.hold(self.host, point)

    def end(self, held: Any, error: str = "") -> None:
        """The held periodic goes on to its end, which is no error unless one is expected."""
        held.wait()
        assert held.release().error[:len(error) or None] == error

    def race(self) -> None:
        """A whole periodic passes, in which nova-compute cannot create its child."""
        (passed,) = self.lab.wait_for_periodics(self.host)
        assert passed.error.startswith(RACED), passed.error

    def periodic(self) -> None:
        """A whole periodic passes, which is no error."""
        (passed,) = self.lab.wait_for_periodics(self.host)
        assert passed.error == ""

    def recreate(self) -> None:
        """The children are shown, approved and recreated."""
        context, name = self.context, f"{self.host}_pgpu0"
        shown = recreate_children(context, context.journal(self.recovery_id))
        assert recreate_children(context, context.journal(self.recovery_id), shown.digest).done
        self._expect_another(name)

    def recreate_and_die(self) -> None:
        """The process dies when the child is renamed away; nova-compute makes its own, and a resume goes on."""
        context, name = self.context, f"{self.host}_pgpu0"
        shown = recreate_children(context, context.journal(self.recovery_id))
        self.meddler.after("PUT", f"/resource_providers/{self.below[name][0]}", Killed.die)
        with pytest.raises(Killed):
            recreate_children(context, context.journal(self.recovery_id), shown.digest)
        self.lab.wait_for_periodics(self.host)  # one may have begun before
        self.periodic()
        for step in step_names(TRANSPLANT)[1:]:
            if step == "wait_for_nova_compute":
                break
            run_step(context, self.recovery_id, step)
        self._expect_another(name)

    def _expect_another(self, name: str) -> None:
        before, after = self.below[name][0], children(self.operator.client, self.host)[name][0]
        assert before != after
        self.below[name] = (after, "")
        self.allocations = moved(self.allocations, before, after)

    def check(self) -> None:
        """Everybody and all settings are on the new root, and nova-compute is content with it."""
        new = self.fault.new_uuid
        assert self.operator.holders(new) == moved(self.allocations, self.fault.stale_uuid, new)
        settings = provider_settings(self.operator.client, new)
        assert "COMPUTE_NODE" in settings["traits"]
        assert settings["traits"] >= self.settings["traits"]
        assert settings["inventories"] == self.settings["inventories"]
        below = children(self.operator.client, self.host)
        assert below == {name: (uuid, new) for name, (uuid, _) in self.below.items()}
        assert self.operator.client.service(self.host)["status"] == "enabled"
        assert self.operator.locks() == []
        assert errors_in_periodics(self.lab, self.host) == []
