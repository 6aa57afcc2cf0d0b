"""Bodies that arrive at the webhook: each host that they name gets one trigger, and invalid parts get none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from placement_recovery.detection.alerts import LARGEST_BODY, MOST_HOSTS, receive
from placement_recovery.errors import DispatchFailed, InvalidInput

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


class Dispatched:
    """The triggers that are dispatched."""

    def __init__(self):
        self.payloads = []

    def __call__(self, payload):
        """Keep the trigger."""
        self.payloads.append(payload)

    @property
    def hosts(self):
        """The hosts, in the order of their triggers."""
        return [one.host for one in self.payloads]


@pytest.fixture
def dispatched():
    """The triggers that are dispatched."""
    return Dispatched()


def test_each_firing_alert_is_a_trigger(dispatched):
    """One body has many alerts, resolved ones among them."""
    body = alertmanager(alert(host="c-1"), alert("resolved", host="c-2"), alert(host="c-3"))

    result = receive(json.dumps(body), dispatched)

    assert dispatched.payloads[0].as_dict() == {
        "host": "c-1", "node": "", "provider_name": "", "compute_node_uuid": "", "time": "2026-11-22T11:00:33.123Z",
        "request_id": "", "file": "ResourceProviderCreationFailed", "source": "alert",
    }  # fmt: skip
    assert dispatched.hosts == ["c-1", "c-3"]
    assert result["summary"] == "2 trigger(s) dispatched: c-1, c-3; 1 resolved alert(s) ignored"


def test_resolved_alerts_alone_are_not_an_error(dispatched):
    """There is nothing to do."""
    result = receive(json.dumps(alertmanager(alert("resolved", host="c-2"))), dispatched)

    assert (dispatched.hosts, result["state"]) == ([], "nothing")


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
def test_labels_name_the_host(dispatched, labels, host):
    """The most reliable label counts; an exporter's port is removed."""
    receive(json.dumps(alertmanager(alert(**labels))), dispatched)

    assert dispatched.hosts == [host]


def test_host_gets_one_trigger(dispatched):
    """However many alerts name it."""
    receive(json.dumps(alertmanager(*[alert(host="c-1", severity=str(n)) for n in range(9)])), dispatched)

    assert dispatched.hosts == ["c-1"]


def test_repeated_alert_has_the_same_trace_tag(dispatched):
    """Alertmanager repeats what is not resolved."""
    body = json.dumps(alertmanager(alert(host="c-1")))
    receive(body, dispatched)
    receive(body, dispatched)

    assert len({one.trace_tag for one in dispatched.payloads}) == 1


def test_lines_of_loki_are_parsed_as_a_log_is(dispatched):
    """The fault's two lines among others; the stream's label is the host if the node is called alike."""
    lines = (SAMPLES / CONFLICT).read_text().splitlines()

    labels = {"host": "compute-0.rack1", "filename": "/var/log/nova/nova-compute.log"}
    result = receive(json.dumps(loki(lines, **labels)), dispatched)

    assert dispatched.hosts == ["compute-0.rack1"]
    assert dispatched.payloads[0].compute_node_uuid
    assert dispatched.payloads[0].file == "/var/log/nova/nova-compute.log"
    assert f"{len(lines)} log line(s) read" in result["summary"]


def test_lines_of_a_query_are_read_in_the_order_of_time(dispatched):
    """A query of Loki returns the newest line first."""
    stream = loki((SAMPLES / CONFLICT).read_text().splitlines(), newest_first=True, host="compute-0")["streams"]
    body = {"status": "success", "data": {"resultType": "streams", "result": stream, "stats": {}}}

    receive(json.dumps(body), dispatched)

    assert dispatched.hosts == ["compute-0"]


def test_a_label_does_not_beat_the_node_that_a_line_names(dispatched):
    """Promtail's `instance` may be the name of a release, or of the pod that collects."""
    lines = (SAMPLES / CONFLICT).read_text().splitlines()

    receive(json.dumps(loki(lines, instance="nova")), dispatched)

    assert dispatched.hosts == ["compute-0"]


def test_the_labels_that_name_the_host_can_be_chosen(dispatched):
    """In order; of an address with a port the port goes."""
    receive(json.dumps(alertmanager(alert(host="c-1", rack="r7-c-1:9100"))), dispatched, ["absent", "rack", "host"])

    assert dispatched.hosts == ["r7-c-1"]


@pytest.mark.parametrize("name", ["nova-34-placement-503-on-create.log", "nova-34-connection-dropped-on-create.log"])
def test_lines_with_another_cause_make_no_trigger(dispatched, name):
    """A recovery would destroy a healthy provider."""
    result = receive(json.dumps(loki((SAMPLES / name).read_text().splitlines(), host="c-1")), dispatched)

    assert dispatched.hosts == []
    assert "with another cause" in result["summary"]
    assert result["other_failures"]


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
def test_plain_json_names_hosts(dispatched, body, hosts):
    """An object, or a list."""
    receive(json.dumps(body), dispatched)

    assert dispatched.hosts == hosts


def test_plain_json_may_have_details(dispatched):
    """They are passed on, cut to the length that the schema allows; others are ignored."""
    receive(json.dumps({"host": "c-1", "node": "n", "time": "t" * 500, "request_id": 7}), dispatched)

    (payload,) = dispatched.payloads
    assert (payload.node, len(payload.time), payload.request_id) == ("n", 64, "")


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "null", "7", '"c-1"', "[]", "{}", '{"alerts": {}}', '{"streams": []}', '{"hosts": ["c-1"]}',
        "[" * 100_000, '{"data": []}', '{"data": {"resultType": "matrix"}}', "NaN",
    ],
)  # fmt: skip
def test_body_of_unknown_form_is_refused(dispatched, body):
    """The error lists the known forms."""
    with pytest.raises(InvalidInput, match=r"is not JSON|has no known form"):
        receive(body, dispatched)
    assert dispatched.hosts == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (alertmanager(alert()), "has none of the labels nova_host, compute_host, host"),
        (alertmanager("x"), "an alert has no labels: 'x'"),
        (alertmanager({"labels": []}), "an alert has no labels"),
        (alertmanager(alert(host="c-1; reboot")), "has ';'"),
        ({"host": None}, "payload field host: must be text, not NoneType"),
        ({"host": {"a": 1}}, "payload field host: must be text, not dict"),
        ({"host": ""}, "is empty"),
        ({"host": "-oProxyCommand=x"}, "begins with a dash"),
        ({"host": "../../etc"}, "has '/'"),
        ({"host": "c" * 300}, "is 300 characters long"),
        ({"host": "{{ st2kv.system.x }}"}, "has '{'"),
        (["c-1 c-2"], "has ' '"),
        ([7], "neither a host nor an object with one: 7"),
        ({"streams": [{"stream": {}}]}, "a stream has no labels or no values"),
        ({"streams": [7]}, "a stream has no labels or no values"),
        ({"streams": [{"stream": {}, "values": [["x", "line"]]}]}, "is not a time and a line"),
        ({"streams": [{"stream": {}, "values": [["1", 2]]}]}, "is not a time and a line"),
    ],
)
def test_invalid_part_makes_no_trigger(dispatched, body, words):
    """The error names the part and the reason."""
    with pytest.raises(InvalidInput, match=r"part\(s\) of the body were refused") as error:
        receive(json.dumps(body), dispatched)
    assert words in str(error.value)
    assert dispatched.hosts == []


def test_rest_of_a_body_with_an_invalid_part_is_dispatched(dispatched):
    """One alert without a host does not hold up the others; the action fails, so that it is noticed."""
    with pytest.raises(InvalidInput, match=r"^1 trigger\(s\) dispatched: c-1\. 1 part\(s\) of the body were refused"):
        receive(json.dumps(alertmanager(alert(), alert(host="c-1"))), dispatched)
    assert dispatched.hosts == ["c-1"]


def test_failed_trigger_does_not_hold_up_the_others(dispatched):
    """All are tried; then the action fails with the reasons, and names the invalid parts too."""
    def dispatch(payload):
        if payload.host == "c-2":
            raise DispatchFailed("st2api is unavailable")
        dispatched(payload)

    with pytest.raises(DispatchFailed) as error:
        receive(json.dumps(["c-1", "c-2", "c-3", "c 4"]), dispatch)

    assert dispatched.hosts == error.value.result["hosts"] == ["c-1", "c-3"]
    assert error.value.result["not_dispatched"] == {"c-2": "st2api is unavailable"}
    message = str(error.value)
    assert message.startswith("2 trigger(s) dispatched: c-1, c-3. 1 part(s) of the body were refused: ")
    assert message.endswith(". 1 trigger(s) could not be dispatched: c-2: st2api is unavailable")


def test_many_failed_triggers_are_summarised(dispatched):
    """The summary has the reasons of the first ones; the result has all."""
    def dispatch(payload):
        raise DispatchFailed("st2api is unavailable")

    with pytest.raises(DispatchFailed, match=r"^0 .* dispatched\. 9 trigger\(s\) could not .*; and 4 more$") as error:
        receive(json.dumps([f"c-{number}" for number in range(9)]), dispatch)
    assert len(error.value.result["not_dispatched"]) == 9


def test_body_that_names_a_whole_cloud_is_refused(dispatched):
    """So many at once point to Placement or to the alert's rule."""
    body = alertmanager(*[alert(host=f"c-{number}") for number in range(MOST_HOSTS + 1)])

    with pytest.raises(InvalidInput, match=r"names 101 hosts.*Nothing was dispatched"):
        receive(json.dumps(body), dispatched)
    assert dispatched.hosts == []


def test_body_that_is_too_large_is_refused(dispatched):
    """Before it is parsed."""
    with pytest.raises(InvalidInput, match="and the limit is"):
        receive(" " * (LARGEST_BODY + 1), dispatched)
