"""What arrives behind the webhook: bodies of Alertmanager, Loki's streams and plain JSON in, one trigger a host out.

An alert is no proof. Whoever can post here can make us look at a host, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

from placement_recovery.detection.logs import Event, Fault, LogParser
from placement_recovery.errors import DispatchFailed, InvalidInput
from placement_recovery.names import check_host_name
from placement_recovery.triggers import dispatch_each, not_dispatched

# What names the host, the surest first. Exporters put their own address and port into `instance`.
HOST_LABELS = ("host", "hostname", "nodename", "instance")

LARGEST_BODY = 4_000_000  # characters
MOST_HOSTS = 100          # of one body: with more, it is Placement that ails, or the alert
_SHOWN = 5

_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_FIELDS = ("node", "provider_name", "compute_node_uuid", "time", "request_id", "file")
_LONGEST = {"node": 255, "provider_name": 255, "compute_node_uuid": 36, "time": 64, "request_id": 255, "file": 4096}

Payload = Dict[str, str]


@dataclass
class Received:
    """What a body says: a payload a host, and what makes none."""

    payloads: Dict[str, Payload] = field(default_factory=dict)
    resolved: int = 0
    lines: int = 0
    refused: List[str] = field(default_factory=list)
    troubles: List[str] = field(default_factory=list)

    def add(self, host: object, told: Mapping[str, object]) -> None:
        """Keep the first payload of each host; a name that no host can have is refused."""
        try:
            name = check_host_name(host) if isinstance(host, str) else ""
        except InvalidInput as error:
            self.refused.append(str(error))
            return
        if not name:
            self.refused.append(f"the host is no text but {_short(host)}")
            return
        if name not in self.payloads:
            fields = {one: _text(told.get(one))[: _LONGEST[one]] for one in _FIELDS}
            self.payloads[name] = {"host": name, "source": "alert", **fields}


def receive(body: str, send: Callable[[Payload, str], None]) -> Dict[str, Any]:
    """Call `send(payload, trace_tag)` once for each host that the body (JSON) names, and return an action's result.

    Raises InvalidInput where nothing in it can be understood, or it names too many hosts: then nothing is sent. After
    all that can be understood was sent: InvalidInput where a part cannot, DispatchFailed where a trigger was not taken.
    """
    found = read_body(body)
    if len(found.payloads) > MOST_HOSTS:
        raise InvalidInput(
            f"the body names {len(found.payloads)} hosts, and {MOST_HOSTS} are taken at most: so many at once point to "
            f"Placement or to the alert's rule. Nothing was dispatched; audit_cloud looks at all hosts"
        )
    failed = dispatch_each({host: partial(send, one, trace_tag(one)) for host, one in found.payloads.items()})
    sent = [host for host in found.payloads if host not in failed]
    summary = ". ".join(filter(None, [_summary(found, sent), _refused(found)]))
    if failed:
        result = {**_result(found, sent), "not_dispatched": failed}
        raise DispatchFailed(f"{summary}. {not_dispatched(failed)}", result)
    if found.refused:
        raise InvalidInput(summary)
    return {"summary": summary, "state": "dispatched" if sent else "nothing", **_result(found, sent)}


def _result(found: Received, sent: List[str]) -> Dict[str, Any]:
    return {"hosts": sent, "resolved": found.resolved, "troubles": found.troubles[:_SHOWN]}


def _refused(found: Received) -> str:
    told = "; ".join(found.refused[:_SHOWN])
    return f"{len(found.refused)} part(s) of the body were refused: {told}" if found.refused else ""


def read_body(body: str) -> Received:
    """What a body says. Raises InvalidInput where it is none of the known forms."""
    if len(body) > LARGEST_BODY:
        raise InvalidInput(f"the body has {len(body)} characters, and {LARGEST_BODY} are taken at most")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is no JSON: {error}") from error
    found = Received()
    _form_of(document)(document, found)
    return found


def trace_tag(payload: Mapping[str, str]) -> str:
    """The same for the same alert, so that one that is repeated is seen to be one."""
    told = "\n".join(payload[name] for name in ("host", "file", "time", "request_id"))
    return f"placement_recovery-{payload['host']}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _form_of(document: Any) -> Callable[[Any, Received], None]:
    if isinstance(document, dict):
        if isinstance(document.get("alerts"), list):
            return _read_alertmanager
        if _streams(document):
            return _read_loki
        if "host" in document:
            return _read_plain
    if isinstance(document, list) and document:
        return _read_plain_list
    raise InvalidInput(
        f"the body is none of Alertmanager's (alerts), Loki's (streams), an object with a host, or a list of such: "
        f"{_short(document)}. Nothing was dispatched"
    )


def _read_alertmanager(document: Any, found: Received) -> None:
    for alert in document["alerts"]:
        labels = alert.get("labels") if isinstance(alert, dict) else None
        if not isinstance(labels, dict):
            found.refused.append(f"an alert has no labels: {_short(alert)}")
        elif alert.get("status", document.get("status")) == "resolved":
            found.resolved += 1
        else:
            name = _text(labels.get("alertname"))
            host = _host_in(labels)
            if host:
                found.add(host, {"file": name, "time": alert.get("startsAt")})
            else:
                found.refused.append(f"alert {_short(name)} has none of the labels {', '.join(HOST_LABELS)}")


def _read_loki(document: Any, found: Received) -> None:
    for stream in _streams(document):
        labels, values = (stream.get("stream"), stream.get("values")) if isinstance(stream, dict) else (None, None)
        if not isinstance(labels, dict) or not isinstance(values, list):
            found.refused.append(f"a stream has no labels or no values: {_short(stream)}")
            continue
        for event in _events(labels, values, found):
            if isinstance(event, Fault):
                found.add(event.host, event.as_dict())
            else:
                found.troubles.append(f"{event.host}: {event.cause}")


def _events(labels: Mapping[str, Any], values: Sequence[Any], found: Received) -> Iterator[Event]:
    """The events of a stream's lines in the order of their times; a query gives the newest first."""
    lines: List[Tuple[int, str]] = []
    for value in values:
        if _is_entry(value):
            lines.append((int(value[0]), value[1]))
        else:
            found.refused.append(f"a stream's value is no time and line: {_short(value)}")
    if lines and lines[0][0] > lines[-1][0]:
        lines.reverse()
    found.lines += len(lines)
    parser = LogParser(_text(labels.get("filename")), _host_in(labels))
    for _, line in sorted(lines, key=lambda one: one[0]):
        yield from parser.feed_line(line)
    yield from parser.close()


def _is_entry(value: Any) -> bool:
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], str):
        return False
    return isinstance(value[0], str) and re.fullmatch(r"[0-9]{1,20}", value[0]) is not None


def _read_plain(document: Any, found: Received) -> None:
    if document.get("status") == "resolved":
        found.resolved += 1
    else:
        found.add(document["host"], document)


def _read_plain_list(document: Any, found: Received) -> None:
    for one in document:
        if isinstance(one, str):
            found.add(one, {})
        elif isinstance(one, dict) and "host" in one:
            _read_plain(one, found)
        else:
            found.refused.append(f"neither a host nor an object with one: {_short(one)}")


def _streams(document: Mapping[str, Any]) -> List[Any]:
    """Loki's streams, as they are pushed ({"streams": …}) or queried ({"data": {"resultType": "streams", …}})."""
    data = document.get("data")
    if isinstance(data, dict) and data.get("resultType") == "streams":
        streams = data.get("result")
    else:
        streams = document.get("streams")
    return streams if isinstance(streams, list) else []


def _host_in(labels: Mapping[str, Any]) -> str:
    host = next((labels[name] for name in HOST_LABELS if isinstance(labels.get(name), str) and labels[name]), "")
    match = _PORT.fullmatch(host)
    return match["host"].strip("[]") if match else host


def _summary(found: Received, hosts: List[str]) -> str:
    more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
    told = [f"{len(hosts)} trigger(s) dispatched" + (f": {', '.join(hosts[:_SHOWN])}{more}" if hosts else "")]
    if found.lines:
        told.append(f"{found.lines} line(s) of logs read")
    if found.resolved:
        told.append(f"{found.resolved} resolved alert(s) ignored")
    if found.troubles:
        told.append(f"{len(found.troubles)} failure(s) with another cause, which no recovery mends")
    return "; ".join(told)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
