"""Bodies that arrive behind the webhook: what is understood becomes one trigger a host, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from placement_recovery.detection.alerts import LARGEST_BODY, MOST_HOSTS, receive
from placement_recovery.errors import DispatchFailed, InvalidInput
from placement_recovery.triggers import PROVIDER_CREATION_FAILED, check_payload

SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "logs"
CONFLICT = "nova-34-name-conflict.log"


def alert(status="firing", **labels):
    """One alert of Alertmanager's body, version 4."""
    return {
        "status": status,
        "labels": {"alertname": "ResourceProviderCreationFailed", "severity": "page", **labels},
        "annotations": {"summary": "nova-compute cannot create its provider"},
        "startsAt": "2026-11-22T11:00:33.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=x",
        "fingerprint": "c2f1a0b3d4e5f607",
    }


def alertmanager(*alerts):
    """Alertmanager's body."""
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "stackstorm",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am",
        "alerts": list(alerts),
    }  # fmt: skip


def loki(lines, newest_first=False, **labels):
    """A stream as promtail pushes it."""
    values = [[str(1_763_800_000_000_000_000 + number), line] for number, line in enumerate(lines)]
    return {"streams": [{"stream": labels, "values": values[::-1] if newest_first else values}]}


class Sent:
    """What goes out; each payload has to meet the trigger's schema as StackStorm reads it."""

    def __init__(self):
        self.payloads, self.tags = [], []

    def __call__(self, payload, trace_tag):
        """Keep it."""
        check_payload(PROVIDER_CREATION_FAILED, payload)
        self.payloads.append(payload)
        self.tags.append(trace_tag)

    @property
    def hosts(self):
        """The hosts, in the order of their triggers."""
        return [one["host"] for one in self.payloads]


@pytest.fixture
def sent():
    """What goes out."""
    return Sent()


def test_each_firing_alert_is_a_trigger(sent):
    """Many alerts come in one body, resolved ones among them."""
    body = alertmanager(alert(host="c-1"), alert("resolved", host="c-2"), alert(host="c-3"))

    result = receive(json.dumps(body), sent)

    assert sent.payloads[0] == {
        "host": "c-1", "node": "", "provider_name": "", "compute_node_uuid": "", "time": "2026-11-22T11:00:33.123Z",
        "request_id": "", "file": "ResourceProviderCreationFailed", "source": "alert",
    }  # fmt: skip
    assert sent.hosts == ["c-1", "c-3"]
    assert result["summary"] == "2 trigger(s) dispatched: c-1, c-3; 1 resolved alert(s) ignored"


def test_resolved_alerts_alone_are_no_error(sent):
    """It is over: nothing is to be done."""
    result = receive(json.dumps(alertmanager(alert("resolved", host="c-2"))), sent)

    assert (sent.hosts, result["state"]) == ([], "nothing")


@pytest.mark.parametrize(
    ("labels", "host"),
    [
        ({"host": "c-1", "instance": "10.0.0.7:9100"}, "c-1"),
        ({"hostname": "c-1.example.org", "nodename": "x"}, "c-1.example.org"),
        ({"nodename": "c-1", "instance": "10.0.0.7:9100"}, "c-1"),
        ({"instance": "c-1:9100"}, "c-1"),
        ({"instance": "c-1"}, "c-1"),
        ({"instance": "[fd00::7]:9100"}, "fd00::7"),
        ({"instance": "10.0.0.7:9100"}, "10.0.0.7"),
        ({"host": "", "nodename": "c-1"}, "c-1"),
    ],
)
def test_labels_name_the_host(sent, labels, host):
    """The surest label first, an exporter's port off."""
    receive(json.dumps(alertmanager(alert(**labels))), sent)

    assert sent.hosts == [host]


def test_same_host_is_one_trigger(sent):
    """However many alerts name it."""
    receive(json.dumps(alertmanager(*[alert(host="c-1", severity=str(n)) for n in range(9)])), sent)

    assert sent.hosts == ["c-1"]


def test_repeated_alert_bears_the_same_tag(sent):
    """Alertmanager repeats what is not resolved."""
    body = json.dumps(alertmanager(alert(host="c-1")))
    receive(body, sent)
    receive(body, sent)

    assert len(set(sent.tags)) == 1


def test_lines_of_loki_are_parsed_as_a_log_is(sent):
    """The fault's two lines among others; the stream's label is the host."""
    lines = (SAMPLES / CONFLICT).read_text().splitlines()

    result = receive(json.dumps(loki(lines, host="rack1-c-1", filename="/var/log/nova/nova-compute.log")), sent)

    assert sent.hosts == ["rack1-c-1"]
    assert sent.payloads[0]["compute_node_uuid"]
    assert sent.payloads[0]["file"] == "/var/log/nova/nova-compute.log"
    assert f"{len(lines)} line(s) of logs read" in result["summary"]


def test_answer_of_a_query_is_read_backwards(sent):
    """Loki gives the newest line first."""
    stream = loki((SAMPLES / CONFLICT).read_text().splitlines(), newest_first=True, host="c-1")["streams"]
    body = {"status": "success", "data": {"resultType": "streams", "result": stream, "stats": {}}}

    receive(json.dumps(body), sent)

    assert sent.hosts == ["c-1"]


@pytest.mark.parametrize("name", ["nova-34-placement-503-on-create.log", "nova-34-connection-dropped-on-create.log"])
def test_lines_with_another_cause_are_no_trigger(sent, name):
    """Recovering then would destroy a healthy provider."""
    result = receive(json.dumps(loki((SAMPLES / name).read_text().splitlines(), host="c-1")), sent)

    assert sent.hosts == []
    assert "with another cause" in result["summary"]
    assert result["troubles"]


@pytest.mark.parametrize(
    ("body", "hosts"),
    [
        ({"host": "c-1"}, ["c-1"]),
        ({"host": "c-1", "severity": 3, "node": "c-1.example.org"}, ["c-1"]),
        ({"host": "c-1", "status": "resolved"}, []),
        ([{"host": "c-1"}, {"host": "c-2"}, {"host": "c-1"}], ["c-1", "c-2"]),
        (["c-1", "c-2"], ["c-1", "c-2"]),
    ],
)
def test_plain_json_names_hosts(sent, body, hosts):
    """An object, or a list."""
    receive(json.dumps(body), sent)

    assert sent.hosts == hosts


def test_plain_json_may_tell_more(sent):
    """What the trigger has a field for is handed on, cut to what its schema allows."""
    receive(json.dumps({"host": "c-1", "node": "n", "time": "t" * 500, "request_id": 7}), sent)

    assert (sent.payloads[0]["node"], len(sent.payloads[0]["time"]), sent.payloads[0]["request_id"]) == ("n", 64, "")


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "null", "7", '"c-1"', "[]", "{}", '{"alerts": {}}', '{"streams": []}', '{"hosts": ["c-1"]}',
        "[" * 100_000, '{"data": []}', '{"data": {"resultType": "matrix"}}', "NaN",
    ],
)  # fmt: skip
def test_body_that_is_nothing_known_is_refused(sent, body):
    """The error says which forms there are."""
    with pytest.raises(InvalidInput, match=r"no JSON|none of Alertmanager's"):
        receive(body, sent)
    assert sent.hosts == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (alertmanager(alert()), "has none of the labels host, hostname, nodename, instance"),
        (alertmanager("x"), "an alert has no labels: 'x'"),
        (alertmanager({"labels": []}), "an alert has no labels"),
        (alertmanager(alert(host="c-1; reboot")), "has ';'"),
        ({"host": None}, "the host is no text but None"),
        ({"host": {"a": 1}}, "the host is no text"),
        ({"host": ""}, "is empty"),
        ({"host": "-oProxyCommand=x"}, "begins with a dash"),
        ({"host": "../../etc"}, "has '/'"),
        ({"host": "c" * 300}, "is 300 characters long"),
        ({"host": "{{ st2kv.system.x }}"}, "has '{'"),
        (["c-1 c-2"], "has ' '"),
        ([7], "neither a host nor an object with one: 7"),
        ({"streams": [{"stream": {}}]}, "a stream has no labels or no values"),
        ({"streams": [7]}, "a stream has no labels or no values"),
        ({"streams": [{"stream": {}, "values": [["x", "line"]]}]}, "no time and line"),
        ({"streams": [{"stream": {}, "values": [["1", 2]]}]}, "no time and line"),
    ],
)
def test_part_that_cannot_be_understood_makes_no_trigger(sent, body, words):
    """And the error says which, and why."""
    with pytest.raises(InvalidInput, match=r"part\(s\) of the body were refused") as error:
        receive(json.dumps(body), sent)
    assert words in str(error.value)
    assert sent.hosts == []


def test_rest_of_a_body_with_a_bad_part_is_dispatched(sent):
    """One alert without a host does not keep nine hosts waiting; the run fails, so that it is seen."""
    with pytest.raises(InvalidInput, match=r"^1 trigger\(s\) dispatched: c-1\. 1 part\(s\) of the body were refused"):
        receive(json.dumps(alertmanager(alert(), alert(host="c-1"))), sent)
    assert sent.hosts == ["c-1"]


def test_trigger_that_is_not_taken_keeps_no_other_back(sent):
    """All are tried; then the run fails, and says which did not go out, and why, and what else was amiss."""
    def send(payload, trace_tag):
        if payload["host"] == "c-2":
            raise DispatchFailed("StackStorm's API did not take it")
        sent(payload, trace_tag)

    with pytest.raises(DispatchFailed) as error:
        receive(json.dumps(["c-1", "c-2", "c-3", "c 4"]), send)

    assert sent.hosts == error.value.result["hosts"] == ["c-1", "c-3"]
    assert error.value.result["not_dispatched"] == {"c-2": "StackStorm's API did not take it"}
    told = str(error.value)
    assert told.startswith("2 trigger(s) dispatched: c-1, c-3. 1 part(s) of the body were refused: ")
    assert told.endswith(". 1 trigger(s) did not go out: c-2: StackStorm's API did not take it")


def test_many_triggers_that_are_not_taken_are_told_shortly(sent):
    """The first ones with their reason; the result holds all."""
    def send(payload, trace_tag):
        raise DispatchFailed("st2api is away")

    with pytest.raises(DispatchFailed, match=r"^0 .* dispatched\. 9 trigger\(s\) did not .*; and 4 more$") as error:
        receive(json.dumps([f"c-{number}" for number in range(9)]), send)
    assert len(error.value.result["not_dispatched"]) == 9


def test_body_that_names_a_whole_cloud_is_refused(sent):
    """So many at once: it is Placement, or the alert's rule."""
    body = alertmanager(*[alert(host=f"c-{number}") for number in range(MOST_HOSTS + 1)])

    with pytest.raises(InvalidInput, match=r"names 101 hosts.*Nothing was dispatched"):
        receive(json.dumps(body), sent)
    assert sent.hosts == []


def test_body_that_is_too_large_is_refused(sent):
    """Before it is parsed."""
    with pytest.raises(InvalidInput, match="are taken at most"):
        receive(" " * (LARGEST_BODY + 1), sent)
