"""The cooldown, from what the store knows of a host."""

from __future__ import annotations

import pytest

from placement_recovery.automation.cooldown import cooling
from placement_recovery.automation.notified import remember
from placement_recovery.config import Config
from placement_recovery.records.record import ABANDONED, FINISHED, OPEN, Progress
from placement_recovery.records.stores import PROGRESS, FileStore
from placement_recovery.recovery.context import Context
from testkit.clocks import HandClock


def cooling_of(context, host):
    """Why a trigger for this host has to wait."""
    return cooling(context.store, context.clock, context.config.cooldown, host)


@pytest.fixture
def context(tmp_path):
    """A context that has a store and a clock, and no cloud."""
    nothing = None
    store = FileStore(str(tmp_path / "records"))
    return Context(Config(cooldown=300), nothing, nothing, nothing, store, nothing, HandClock(), nothing)


def record(context, recovery_id, state, host="compute-0"):
    """A recovery that was written just now."""
    now = context.clock.now()
    progress = Progress(recovery_id, "0" * 64, host, "preserve", now, now, state, attempt="run1")
    context.store.put(recovery_id, PROGRESS, progress.to_text())


@pytest.mark.parametrize(
    ("state", "words"),
    [(OPEN, "was at work"), (FINISHED, "ended (finished)"), (ABANDONED, "ended (abandoned)")],
)
def test_a_recovery_holds_triggers_off_for_a_while(context, state, words):
    """Under way or over, whoever started it."""
    record(context, "abcdef0123", state)
    context.clock.at += 299
    assert cooling_of(context, "compute-0") == f"recovery abcdef0123 of it {words} 299 s ago, and the cooldown is 300 s"
    context.clock.at += 1
    assert cooling_of(context, "compute-0") == ""


def test_a_refused_run_holds_triggers_off(context):
    """It opened no recovery, and is remembered by itself."""
    remember(context.store, context.clock, "compute-0", "refused")
    assert cooling_of(context, "compute-0") == (
        "a trigger's run for it ended (refused) 0 s ago, and the cooldown is 300 s"
    )


def test_the_newest_counts(context):
    """What was long ago does not hide what was just now."""
    record(context, "abcdef0123", FINISHED)
    context.clock.at += 1000
    record(context, "abcdef0456", ABANDONED)
    assert "abcdef0456" in cooling_of(context, "compute-0")


def test_another_host_is_not_concerned(context):
    """Hosts are recovered in parallel."""
    record(context, "abcdef0123", OPEN)
    remember(context.store, context.clock, "compute-0", "refused")
    assert cooling_of(context, "compute-1") == ""


def test_a_cooldown_of_nothing_holds_nothing_off(context):
    """0 switches it off."""
    remember(context.store, context.clock, "compute-0", "refused")
    object.__setattr__(context.config, "cooldown", 0)
    assert cooling_of(context, "compute-0") == ""


def test_a_clock_that_is_far_ahead_holds_nothing_off(context):
    """A runner whose clock was wrong must not stop a host's automation for years; seconds of skew may."""
    context.clock.at += 10
    remember(context.store, context.clock, "compute-0", "refused")
    context.clock.at -= 10
    assert "0 s ago" in cooling_of(context, "compute-0")
    context.clock.at -= 1000
    assert cooling_of(context, "compute-0") == ""
