"""nova-compute logs the fault, the sensor reads it, and the rule starts the recovery: nobody looks for anything."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

from lab.openstack import faults
from lab.stackstorm.installation import FAULT_TRIGGER, PACK
from lab.waiting import wait_until
from testkit.operator import finished, moved

pytestmark = pytest.mark.lab
HOST = "compute-5"


@pytest.fixture(scope="module")
def story(operator):
    """The host breaks twice under one sensor: the first recovery waits for a person's word, the second one does not."""
    operator.client.boot_many(["live-1", "live-2"], HOST)
    # Without cooldowns, for the second break follows upon the first recovery.
    options = {"log_globs": [str(operator.lab.log(HOST))], "log_cooldown": 1, "cooldown": 0}
    careful, bold = (operator.configured(automation=one, **options) for one in ("ask", "when_safe"))
    with careful.stackstorm.log_sensor():
        asked = break_and_react(careful)
        told = careful.stackstorm.dispatched(f"{PACK}.needs_approval")
        untouched = operator.holders(asked.fault.stale_uuid)
        approved = careful.stackstorm.type_words(told[0].payload["next"])
        after_approval = operator.holders(asked.fault.new_uuid)
        unattended = break_and_react(bold)
    return SimpleNamespace(
        asked=asked, told=told, untouched=untouched, approved=approved, after_approval=after_approval,
        unattended=unattended, told_later=bold.stackstorm.dispatched(f"{PACK}.needs_approval", after=told[-1].id),
    )


def break_and_react(operator):
    """Break the host, do what StackStorm does; the fault, what was held, the trigger, how the rule's action ended."""
    stackstorm = operator.stackstorm
    fault = faults.database(operator.lab, HOST)
    before = operator.holders(fault.stale_uuid)
    trigger = wait_until("the sensor dispatches the trigger", lambda: sensed(stackstorm, fault), 60)
    (match,) = stackstorm.matches(trigger)
    return SimpleNamespace(fault=fault, before=before, trigger=trigger, ended=stackstorm.obey(match, trigger))


def sensed(stackstorm, fault):
    """The first trigger that tells of this fault, if it came."""
    found = stackstorm.dispatched(FAULT_TRIGGER)
    return next((one for one in found if one.payload["compute_node_uuid"] == fault.new_uuid), None)


@pytest.mark.parametrize("which", ["asked", "unattended"])
def test_the_trigger_tells_what_nova_logged(story, operator, record_property, which):
    """The host, and what is to be read again in the log."""
    one = getattr(story, which)
    payload = one.trigger.payload
    assert (payload["host"], payload["provider_name"], payload["source"]) == (HOST, one.fault.node, "log")
    assert payload["file"] == str(operator.lab.log(HOST))
    logged = datetime.strptime(payload["time"], "%Y-%m-%d %H:%M:%S.%f").timestamp()
    record_property("seconds from nova's line to the trigger", round(one.trigger.time - logged, 1))


def test_it_asks_before_it_acts(story):
    """By default a trigger starts a plan, and nothing is touched."""
    assert (story.asked.ended.status, story.asked.ended.output["state"]) == ("succeeded", "needs_approval")
    assert story.untouched == story.asked.before


def test_people_are_told_once(story):
    """With the digest, and the words to type; a recovery that needs nobody tells nobody."""
    (told,) = story.told
    assert told.payload["host"] == HOST
    assert told.payload["digest"] == story.asked.ended.output["digest"]
    assert told.payload["next"] == story.asked.ended.output["next"]
    assert story.told_later == []


def test_the_words_that_were_told_recover_the_host(story):
    """Every server holds what it held, on the new provider."""
    finished(story.approved)
    fault = story.asked.fault
    assert story.after_approval == moved(story.asked.before, fault.stale_uuid, fault.new_uuid)


def test_what_is_safe_needs_nobody(story, operator):
    """From nova's line to the recovered host."""
    finished(story.unattended.ended)
    fault = story.unattended.fault
    assert operator.holders(fault.new_uuid) == moved(story.unattended.before, fault.stale_uuid, fault.new_uuid)


def test_the_host_is_as_before(story, operator):
    """Its service is enabled, no lock is left, and a new server boots."""
    assert operator.client.service(HOST)["status"] == "enabled"
    assert operator.locks() == []
    assert operator.client.boot("after", HOST)
