"""Reads the webhook's bodies (Alertmanager, Loki's streams, plain JSON) and dispatches one trigger per host.

An alert proves nothing: a post can make the pack examine a host, and nothing more.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

from placement_recovery.config import ALERT_HOST_LABELS
from placement_recovery.detection.logs import Event, Fault, LogParser
from placement_recovery.detection.payload import FROM_ALERT, LONGEST, ProviderCreationFailed
from placement_recovery.errors import DispatchFailed, InvalidInput
from placement_recovery.names import same_but_for_domain
from placement_recovery.triggers import dispatch_each, not_dispatched

LARGEST_BODY = 4_000_000  # characters
MOST_HOSTS = 100          # per body; more point to Placement itself or to a wrong alert rule
_SHOWN = 5

_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")

@dataclass
class Received:
    """The content of a body: one payload per host, and everything that produced none."""

    labels: Tuple[str, ...]
    payloads: Dict[str, ProviderCreationFailed] = field(default_factory=dict)
    resolved: int = 0
    lines: int = 0
    refused: List[str] = field(default_factory=list)
    other_failures: List[str] = field(default_factory=list)

    def add(self, host: Any, details: Mapping[str, object]) -> None:
        """Keep the first payload of each host; a host that no payload accepts is refused. Other details are ignored."""
        texts = {name: _text(details.get(name)) for name in LONGEST}
        try:
            self.payloads.setdefault(host, ProviderCreationFailed(source=FROM_ALERT, host=host, **texts))
        except InvalidInput as error:
            self.refused.append(str(error))


def receive(
    body: str, dispatch: Callable[[ProviderCreationFailed], None], labels: Sequence[str] = ALERT_HOST_LABELS
) -> Dict[str, Any]:
    """Dispatch one trigger for each host that the body (JSON) names, and return an action's result.

    `labels` are those that name the host, in order; exporters put their own address and port into `instance`.

    Raises InvalidInput, before anything is dispatched, if the body has no known form or names too many hosts. If a part
    is invalid or a trigger fails, the rest is dispatched before InvalidInput or DispatchFailed is raised.
    """
    found = read_body(body, labels)
    if len(found.payloads) > MOST_HOSTS:
        raise InvalidInput(
            f"the body names {len(found.payloads)} hosts, and the limit is {MOST_HOSTS}: so many at once point to "
            f"Placement itself or to a wrong alert rule. Nothing was dispatched; audit_cloud checks all hosts"
        )
    failed = dispatch_each({host: partial(dispatch, payload) for host, payload in found.payloads.items()})
    dispatched = [host for host in found.payloads if host not in failed]
    summary = ". ".join(filter(None, [_summary(found, dispatched), _refused(found)]))
    if failed:
        result = {**_result(found, dispatched), "not_dispatched": failed}
        raise DispatchFailed(f"{summary}. {not_dispatched(failed)}", result)
    if found.refused:
        raise InvalidInput(summary)
    return {"summary": summary, "state": "dispatched" if dispatched else "nothing", **_result(found, dispatched)}


def _result(found: Received, dispatched: List[str]) -> Dict[str, Any]:
    return {"hosts": dispatched, "resolved": found.resolved, "other_failures": found.other_failures[:_SHOWN]}


def _refused(found: Received) -> str:
    reasons = "; ".join(found.refused[:_SHOWN])
    return f"{len(found.refused)} part(s) of the body were refused: {reasons}" if found.refused else ""


def read_body(body: str, labels: Sequence[str]) -> Received:
    """Read a body. Raises InvalidInput if it has none of the known forms."""
    if len(body) > LARGEST_BODY:
        raise InvalidInput(f"the body has {len(body)} characters, and the limit is {LARGEST_BODY}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is not JSON: {error}") from error
    found = Received(tuple(labels))
    _form_of(document)(document, found)
    return found


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
        f"the body has no known form (Alertmanager's alerts, Loki's streams, an object with a host, or a list of "
        f"hosts): {_short(document)}. Nothing was dispatched"
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
            host = _host_in(labels, found.labels)
            if host:
                found.add(host, {"file": name, "time": alert.get("startsAt")})
            else:
                found.refused.append(f"alert {_short(name)} has none of the labels {', '.join(found.labels)}")


def _read_loki(document: Any, found: Received) -> None:
    """A fault's two lines may be in two streams, by logger for example: all of one host's are read as one log."""
    logs: Dict[str, Log] = {}
    for stream in _streams(document):
        labels, values = (stream.get("stream"), stream.get("values")) if isinstance(stream, dict) else (None, None)
        if not isinstance(labels, dict) or not isinstance(values, list):
            found.refused.append(f"a stream has no labels or no values: {_short(stream)}")
            continue
        log = logs.setdefault(_host_in(labels, found.labels), Log(_text(labels.get("filename"))))
        log.lines += _lines(values, found)
    for host, log in logs.items():
        for event in log.events():
            if not isinstance(event, Fault):
                found.other_failures.append(f"{host or event.host}: {event.cause}")
            elif host and same_but_for_domain(host, event.node):
                found.add(host, event.as_dict())
            else:  # the node that a line names is nova's word, a label the collector's
                found.add(event.host, event.as_dict())


@dataclass
class Log:
    """The lines of all streams of one host."""

    file: str
    lines: List[Tuple[int, str]] = field(default_factory=list)

    def events(self) -> Iterator[Event]:
        """In the order of time."""
        parser = LogParser(self.file)
        for _, line in sorted(self.lines, key=lambda one: one[0]):
            yield from parser.feed_line(line)
        yield from parser.close()


def _lines(values: Sequence[Any], found: Received) -> List[Tuple[int, str]]:
    """A stream's lines, the oldest first; a query returns the newest first."""
    lines: List[Tuple[int, str]] = []
    for value in values:
        if _is_entry(value):
            lines.append((int(value[0]), value[1]))
        else:
            found.refused.append(f"a stream's value is not a time and a line: {_short(value)}")
    if lines and lines[0][0] > lines[-1][0]:
        lines.reverse()
    found.lines += len(lines)
    return lines


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
    """Loki's streams, as pushed ({"streams": …}) or as queried ({"data": {"resultType": "streams", …}})."""
    data = document.get("data")
    if isinstance(data, dict) and data.get("resultType") == "streams":
        streams = data.get("result")
    else:
        streams = document.get("streams")
    return streams if isinstance(streams, list) else []


def _host_in(labels: Mapping[str, Any], names: Sequence[str]) -> str:
    host = next((labels[name] for name in names if isinstance(labels.get(name), str) and labels[name]), "")
    match = _PORT.fullmatch(host)
    return match["host"].strip("[]") if match else host


def _summary(found: Received, hosts: List[str]) -> str:
    more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
    facts = [f"{len(hosts)} trigger(s) dispatched" + (f": {', '.join(hosts[:_SHOWN])}{more}" if hosts else "")]
    if found.lines:
        facts.append(f"{found.lines} log line(s) read")
    if found.resolved:
        facts.append(f"{found.resolved} resolved alert(s) ignored")
    if found.other_failures:
        facts.append(f"{len(found.other_failures)} failure(s) with another cause, which a recovery would not fix")
    return "; ".join(facts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
