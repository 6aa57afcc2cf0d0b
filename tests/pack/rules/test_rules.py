"""Each rule on real payloads: which it takes, what it starts, and what it hands over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lab.stackstorm import matching, runner, triggers
from lab.stackstorm.runner import ROOT
from placement_recovery.detection.logs import read_file
from placement_recovery.detection.payload import FROM_LOG, PROVIDER_CREATION_FAILED, ProviderCreationFailed

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
WEBHOOK = "core.st2.webhook"
URL = {"url": "placement_recovery/alerts"}


@pytest.fixture(scope="module")
def payload():
    """What the sensor dispatches for a real log of nova-compute."""
    fault = next(iter(read_file(SAMPLES / "nova-34-name-conflict.log")))
    return ProviderCreationFailed(source=FROM_LOG, **fault.as_dict()).as_dict()


def ended(status="succeeded", ref="placement_recovery.recover_host", **output):
    """What StackStorm dispatches when an execution has ended."""
    return {
        "execution_id": "69218a7f3c0e4b0001d2f3a4", "status": status, "start_timestamp": "2026-11-22 11:00:00.000000",
        "action_name": ref.split(".")[1], "action_ref": ref, "runner_ref": "orquesta",
        "parameters": {"host": "c-1", "automatic": True}, "result": {"output": output or None},
    }  # fmt: skip


def test_trigger_starts_recover_host_as_a_trigger(payload):
    """With the host, and marked as automatic, so that the configuration decides."""
    assert matching.match(PROVIDER_CREATION_FAILED, payload) == [
        ("placement_recovery.on_provider_creation_failed", "placement_recovery.recover_host",
         {"host": "{{ trigger.host }}", "automatic": True}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"host": ""}, {"host": "a b"}, {"host": "a;b"}, {"host": 7}, {"source": "x"}, {"m": 1}, {"node": None}]
)
def test_payload_that_breaks_the_schema_starts_nothing(payload, change):
    """StackStorm would not even dispatch it."""
    with pytest.raises(runner.Refused, match="payload validation failed"):
        matching.match(PROVIDER_CREATION_FAILED, {**payload, **change})


@pytest.mark.parametrize(
    ("body", "hosts"),
    [
        ({"alerts": [{"status": "firing", "labels": {"host": "c-1"}}, {"status": "firing", "labels": {"host": "c-2"}}]},
         ["c-1", "c-2"]),
        ({"host": "c-1", "note": "ä \" ' \\ \n <% x %> \u2028", "more": [None, True, 1.5, {}]}, ["c-1"]),
        ([{"host": "c-1"}, "c-2"], ["c-1", "c-2"]),
        ({"host": "c-1", "node": "{{ st2kv.system.secret }} {% if x %}"}, ["c-1"]),
    ],
)  # fmt: skip
def test_webhook_hands_the_body_over_as_it_came(datastore, body, hosts):
    """Whatever is in it: quotes, templates, null; and a trigger goes out for each host."""
    payload = {"headers": {"Content-Type": "application/json"}, "headers_lower": {}, "body": body}
    (match,) = matching.match(WEBHOOK, payload, parameters=URL)

    execution = runner.run(match.action, match.parameters, trigger=payload, datastore=datastore)

    sent = triggers.read(datastore)
    assert execution.status == "succeeded", execution.result
    assert [one.payload["host"] for one in sent] == hosts
    assert sent[0].payload["node"] == (body.get("node", "") if isinstance(body, dict) else "")
    assert all(matching.match(one.trigger, one.payload) for one in sent)


def test_body_that_is_not_understood_fails_the_run_and_sends_nothing(datastore):
    """The reason is the run's summary."""
    payload = {"headers": {}, "body": {"hello": "world"}}
    (match,) = matching.match(WEBHOOK, payload, parameters=URL)

    execution = runner.run(match.action, match.parameters, trigger=payload, datastore=datastore)

    assert execution.status == "failed"
    assert "the body has no known form" in execution.output["summary"]
    assert triggers.read(datastore) == []


def test_other_webhook_is_nobodys():
    """Only ours."""
    assert matching.match(WEBHOOK, {"headers": {}, "body": {"host": "c-1"}}, parameters={"url": "other"}) == []


def test_timer_starts_the_audit():
    """With its dispatch."""
    timer = {"executed_at": "2026-11-22 11:00:00", "schedule": {"delta": 15, "units": "minutes"}}

    (match,) = matching.match("core.st2.IntervalTimer", timer, parameters={"unit": "minutes", "delta": 15})

    assert (match.action, match.parameters) == ("placement_recovery.audit_cloud", {"dispatch": True})


def test_example_that_tells_people_is_disabled():
    """Nobody gets mail from a pack that was only installed."""
    assert matching.match("core.st2.generic.actiontrigger", ended()) == []


@pytest.fixture
def with_example(tmp_path):
    """The pack with the example enabled."""
    pack = tmp_path / "placement_recovery"
    pack.mkdir()
    for name in ("pack.yaml", "actions", "workflows", "lib", "triggers", "config.schema.yaml"):
        (pack / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "rules", pack / "rules")
    rule = pack / "rules" / "notify_people.yaml"
    rule.write_text(rule.read_text().replace("enabled: false", "enabled: true"))
    return pack


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (ended(summary="c-1 is recovered", state="finished"), True),
        (ended("failed"), True),
        (ended("canceled"), True),
        (ended("running"), False),
        (ended(ref="placement_recovery.plan_recovery"), False),
        (ended(ref="other.recover_host"), False),
    ],
)
def test_example_tells_each_end_of_recover_host(with_example, payload, told):
    """Whoever started it, however it ended."""
    assert bool(matching.match("core.st2.generic.actiontrigger", payload, pack=with_example)) == told


@pytest.mark.parametrize("result", [None, {}, {"output": None}, {"output": {"summary": "done"}}, {"error": "x"}])
def test_texts_of_the_example_survive_any_result(result):
    """A run that was killed leaves next to nothing."""
    import yaml

    rule = yaml.safe_load((ROOT / "rules" / "notify_people.yaml").read_text())
    said = runner.run(
        "core.echo",
        {"message": rule["action"]["parameters"]["body"]},
        trigger={**ended(), "result": result},
    )

    assert said.status == "succeeded", said.result
    assert ("done" if "done" in json.dumps(result) else "It left no summary.") in said.result["stdout"]
