"""Runs that triggers start: told once, held off by the cooldown, and never in the way of a person."""

from __future__ import annotations

import pytest

from placement_recovery.automation import notified
from placement_recovery.automation.notification import NEEDS_APPROVAL_TRIGGER
from placement_recovery.entry.recoveries import plan
from placement_recovery.plan.brief import MOST_LINES
from placement_recovery.plan.case import Request
from placement_recovery.recovery.planning import plan_recovery
from placement_recovery.triggers import check_payload
from testkit.driving import Meddler, watched


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    """The moment for which an intent has to stand; one run at a time needs none."""
    monkeypatch.setattr(notified, "SETTLE", 0.0)


def test_fifty_triggers_tell_once(cloud, automatic):
    """The first one tells what to type; the others do nothing and say so. Placement and Nova see no write."""
    host = cloud.stale_host(2).host
    marks = cloud.placement_mark(), cloud.nova_mark()
    made = [automatic.trigger(host) for _ in range(50)]
    assert [one["state"] for one in made] == ["needs_approval", *["skipped"] * 49]
    assert "left alone for now" in made[-1]["summary"]
    (payload,) = automatic.sent()
    assert payload["host"] == host
    assert payload["next"].endswith(f"recover_host host={host} approve={payload['digest']}")
    assert cloud.placement_writes_since(marks[0]) == []
    assert cloud.nova_writes_since(marks[1]) == []


def test_a_trigger_within_the_cooldown_asks_nova_and_placement_nothing(cloud, context):
    """The store alone says that it is too early."""
    host, meddler = cloud.stale_host(0).host, Meddler()
    notified.remember(context.store, context.clock, host, "refused")
    made = plan_recovery(watched(context, meddler), host, Request(automatic=True))[1]
    assert (made.state, meddler.sent) == ("skipped", [])


def test_the_same_digest_is_not_told_after_the_cooldown(cloud, automatic):
    """Without any cooldown each trigger plans anew; people hear of it once all the same."""
    host = cloud.stale_host(1).host
    states = [automatic.trigger(host, cooldown=0)["state"] for _ in range(3)]
    assert states == ["needs_approval"] * 3
    assert len(automatic.sent()) == 1


def test_a_plan_that_changed_is_told_again(cloud, automatic):
    """One more server, another digest."""
    stale = cloud.stale_host(1)
    automatic.trigger(stale.host, cooldown=0)
    cloud.placed_servers(1, stale.host, stale.node, stale.stale_uuid)
    automatic.trigger(stale.host, cooldown=0)
    assert len({one["digest"] for one in automatic.sent()}) == 2


def test_the_digest_that_was_told_is_approved_by_whoever_types_it(cloud, automatic):
    """The cooldown does not concern a person."""
    host = cloud.stale_host(1).host
    automatic.trigger(host)
    digest = automatic.sent()[0]["digest"]
    made = automatic.person(host, method="approved", approve=digest)
    assert (made["state"], made["method"], made["digest"]) == ("ready", "transplant", digest)


def test_a_refusal_is_remembered_and_not_told(cloud, automatic):
    """A duplicate node name needs no approval; the next trigger is held off."""
    node = cloud.healthy_host().node
    cloud.compute(f"{node}-b", node)
    states = [automatic.trigger(f"{node}-b")["state"] for _ in range(2)]
    assert states == ["refused", "skipped"]
    assert automatic.sent() == []


def test_a_name_that_nobody_knows_has_a_cooldown_too(automatic):
    """A forged log line names what it likes, so that all such names share one text of bounded size."""
    states = [automatic.trigger(name)["state"] for name in ("no-such-host", "no-such-host", "no-other-host")]
    assert states == ["refused", "skipped", "refused"]
    keys = automatic.action().action_service.list_values(local=False, prefix="placement_recovery:")
    assert len(keys) == 1


def test_unknown_names_push_out_the_oldest(context):
    """Whoever forges many makes the pack look at each, and fills nothing."""
    for number in range(notified.MOST_UNKNOWN + 1):
        notified.remember_unknown(context.store, At(number), f"host-{number}")
    assert notified.unknown_since(context.store, "host-0") == ""
    assert notified.unknown_since(context.store, f"host-{notified.MOST_UNKNOWN}") != ""


class At:
    """A clock that shows a minute of the day."""

    def __init__(self, minute: int) -> None:
        self._minute = minute

    def now(self) -> str:
        """As Clock's."""
        return f"2026-11-26T{self._minute // 60:02}:{self._minute % 60:02}:00Z"


def test_a_trigger_within_the_cooldown_logs_in_nowhere(cloud, automatic):
    """The action asks the store before the cloud, which may be what does not answer."""
    host = cloud.stale_host(0).host
    automatic.trigger(host)
    ok, result = plan(automatic.action(clouds_file="/nonexistent/clouds.yaml"), host, Request(automatic=True))
    assert (ok, result["state"], result["finding"]) == (True, "skipped", "not_looked_at")


def test_after_the_cooldown_a_healthy_host_is_healthy_whatever_was_told(cloud, automatic):
    """What was told before hides no good news."""
    stale = cloud.stale_host(0)
    automatic.trigger(stale.host)
    cloud.delete_provider(stale.stale_uuid)
    cloud.provider(stale.node, stale.compute_uuid)
    assert automatic.trigger(stale.host)["state"] == "skipped"
    assert automatic.trigger(stale.host, cooldown=0)["state"] == "healthy"


def test_with_automation_when_safe_a_safe_plan_is_ready(cloud, automatic):
    """Nobody has to be asked, and nobody is told."""
    host = cloud.stale_host(1).host
    assert automatic.trigger(host, automation="when_safe")["state"] == "ready"
    assert automatic.sent() == []


def test_what_is_sent_fits_the_triggers_schema(cloud, automatic):
    """However many consumers need a look, and whatever their names are."""
    stale = cloud.stale_host(0)
    for number in range(MOST_LINES + 5):
        name = f"{{{{ st2kv.system.secret }}}} {number} " + "x" * 200
        server = cloud.server(host=None, vm_state="error", name=name)
        cloud.allocate(server, {stale.stale_uuid: {"VCPU": 1}})
    automatic.trigger(stale.host)
    (payload,) = automatic.sent()
    check_payload(NEEDS_APPROVAL_TRIGGER, payload)
    assert "and 5 more" in payload["text"]
    assert "{{" not in str(list(payload.values()))


def test_no_template_reaches_a_parameter(cloud, automatic):
    """A server's owner names it, and StackStorm renders parameters: no text of a plan begins a template."""
    stale = cloud.stale_host(0)
    server = cloud.server(host=None, vm_state="building", name="{{{ st2kv.system.x }}} {%raw%} <% ctx() %>")
    cloud.allocate(server, {stale.stale_uuid: {"VCPU": 1}})
    made = automatic.person(stale.host)
    assert made["state"] == "refused"
    assert "st2kv" in made["summary"]
    for name in ("summary", "next", "brief"):
        assert not any(begin in made[name] for begin in ("{{", "{%", "{#", "<%"))


@pytest.mark.parametrize(("method", "unknown"), [("preserve", "keep"), ("preserve", "drop"), ("discard", "drop")])
def test_the_digest_alone_tells_method_and_unknown(cloud, automatic, method, unknown):
    """What was shown is found again, whatever was asked for then."""
    stale = cloud.stale_host(2)
    cloud.allocate(str(stale.compute_uuid)[:-4] + "beef", {stale.stale_uuid: {"VCPU": 1}})
    shown = automatic.person(stale.host, method=method, unknown=unknown)
    made = automatic.person(stale.host, method="approved", approve=shown["digest"])
    assert (made["method"], made["unknown"], made["state"]) == (method, unknown, "ready")


def test_a_digest_of_no_plan_shows_the_plan_as_it_is(cloud, automatic):
    """Nothing runs; what to type now is shown."""
    host = cloud.stale_host(1).host
    made = automatic.person(host, method="approved", approve="0123abcd")
    assert made["state"] == "needs_approval"
    assert "0123abcd is not this plan's" in made["summary"]
    assert made["next"].endswith(f"approve={made['digest']}")


def test_approved_without_a_digest_is_refused(automatic):
    """It would name no plan."""
    ok, answer = plan(automatic.action(), "compute-0", Request(method="approved"))
    assert not ok
    assert "needs the digest" in answer["summary"]
