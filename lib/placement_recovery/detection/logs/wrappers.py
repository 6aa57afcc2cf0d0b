"""Removes what loggers, collectors and runtimes put around nova's line, layer by layer."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Dict, NamedTuple, Optional, Union

from placement_recovery.detection.logs.anchors import CREATION_FAILED, LOGGER, has_anchor, strings_in
from placement_recovery.detection.logs.frames import read_frame
from placement_recovery.detection.logs.jsontext import read_object, read_string, read_text

_DEEPEST = 4

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]{0,253}[A-Za-z0-9_.-])?"
_TAG = r"[\w.,/@()+-]{1,128}"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BSD = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
# journalctl -o short-full, short-unix, short-monotonic and short-delta.
_JOURNAL = (
    r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [A-Z+\d:-]{1,9}"
    r"|\d{9,11}\.\d{1,9}|\[ {0,9}\d{1,12}\.\d{1,9}(?: < {0,12}\d{1,12}\.\d{1,9} >)?\]"
)
_DATE = rf"(?:{_ISO}|{_BSD}|{_JOURNAL})"

# Without priority and date it is not a header, but a text with a colon.
_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>(?:(?P<time>{_DATE}) )?|(?P<date>{_DATE}) )"
    rf"(?:(?!\d{{4}}-\d\d-\d\d )(?P<host>{_HOST}) )?{_TAG}(?:\[(?P<process>\d{{1,10}})\])?: *(?P<text>.*)",
    re.ASCII | re.DOTALL,
)
_SYSLOG_5424 = re.compile(
    rf"<\d{{1,3}}>1 (?P<time>{_ISO}|-) (?P<host>{_HOST}|-) \S{{1,48}} (?P<process>\S{{1,128}}) \S{{1,32}} "
    r"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?\ufeff?(?P<text>.*)",
    re.ASCII | re.DOTALL,
)

# One line of an object that is printed with an item a line, as by journalctl -o json-pretty.
_ITEM = re.compile(r"\"[\w.@-]{1,64}\"\s{0,9}:\s{0,9}(?P<value>\"(?:[^\"\\]|\\.)*\")\s{0,9},?\s{0,9}", re.DOTALL)

# The second form is how rsyslog writes the escape character.
_COLOUR = re.compile(r"(?:\x1b|#033)\[[\d;]{0,16}[A-Za-z]")


# journald; rsyslog, Vector, Fluentd with kolla; Filebeat (ECS); Fluent Bit in Kubernetes; GELF.
_HOST_KEYS = (
    ("_HOSTNAME",),
    ("hostname",),
    ("Hostname",),
    ("host",),
    ("host", "name"),
    ("host", "hostname"),
    ("kubernetes", "host"),
    ("kubernetes", "node_name"),
    ("agent", "hostname"),
    ("beat", "hostname"),
)


class Unwrapped(NamedTuple):
    """The innermost content, a text or oslo.log's JSON record, and what its wrappers name; empty if they do not.

    `exception` is what a collector keeps apart from the message.
    """

    content: Union[str, Dict[str, Any]]
    host: str = ""
    process: str = ""
    time: str = ""
    exception: str = ""


def unwrap(line: str, time: str = "") -> Unwrapped:
    """Take all wrappers off one line. The innermost one that names host, process or time counts.

    What is no known wrapper stays: nova's sentence is found behind it.
    """
    layer = Unwrapped(line, time=time)
    for _ in range(_DEEPEST):
        text = _COLOUR.sub("", str(layer.content)).lstrip(" \t\ufeff")
        inner = _open_json(text) or _open_header(text)
        if inner is None:
            return layer._replace(content=text)
        layer = Unwrapped(
            inner.content,
            inner.host or layer.host,
            inner.process or layer.process,
            inner.time or layer.time,
            inner.exception or layer.exception,
        )
        if isinstance(layer.content, dict):
            break
    return layer


def _open_header(text: str) -> Optional[Unwrapped]:
    frame = read_frame(text)
    if frame:
        return Unwrapped(frame.text, time=frame.time)
    item = _ITEM.fullmatch(text)
    if item:
        return Unwrapped(read_string(item["value"]))
    match = _SYSLOG_5424.match(text) or _SYSLOG.match(text)
    if not match:
        return None
    found = {name: "" if value in (None, "-") else value for name, value in match.groupdict().items()}
    return Unwrapped(found["text"], found["host"], found["process"], found["time"] or found.get("date", ""))


def _open_json(text: str) -> Optional[Unwrapped]:
    """The record of a JSON line, or of one behind a collector's time and tag."""
    start = text.find("{")
    if start < 0 or has_anchor(text[:start]) or LOGGER.search(text[:start]):
        return None
    record = read_object(text[start:])
    if "MESSAGE" in record:
        return _open_journal(record)
    if isinstance(record.get("name"), str) and isinstance(record.get("levelname", record.get("level")), str):
        return Unwrapped(record)  # oslo.log's own
    texts = list(strings_in(record))
    message = next((one for one in texts if has_anchor(one)), record.get("log"))
    if not isinstance(message, str):
        return None
    return Unwrapped(
        message,
        _host_in(record),
        next((read_text(record[key]) for key in ("_PID", "Pid", "pid", "process") if key in record), ""),
        next((read_text(record[key]) for key in ("time", "@timestamp", "timestamp", "Timestamp") if key in record), ""),
        next((one for one in texts if CREATION_FAILED in one and not has_anchor(one)), ""),
    )


def _host_in(record: Dict[str, Any]) -> str:
    """The host that a collector names, by the keys that the usual ones use."""
    for path in _HOST_KEYS:
        value: Any = record
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and re.fullmatch(_HOST, value, re.ASCII):
            return value
    return ""


def _open_journal(record: Dict[str, Any]) -> Unwrapped:
    message = record["MESSAGE"]
    if isinstance(message, list):
        message = _text_of_bytes(message)
    host, process = read_text(record.get("_HOSTNAME")), read_text(record.get("_PID"))
    return Unwrapped(read_text(message), host, process, _time_of(read_text(record.get("__REALTIME_TIMESTAMP"))))


def _text_of_bytes(numbers: Any) -> str:
    try:
        return bytes(numbers).decode("utf-8", "replace")
    except (TypeError, ValueError):
        return ""


def _time_of(microseconds: str) -> str:
    if not re.fullmatch(r"[0-9]{1,16}", microseconds):
        return ""
    moment = datetime.fromtimestamp(int(microseconds) // 1000 / 1000, timezone.utc)
    return moment.isoformat(" ", "milliseconds").replace("+00:00", "Z")
