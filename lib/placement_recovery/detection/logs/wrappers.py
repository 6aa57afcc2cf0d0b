"""Removes what loggers, collectors and runtimes put around nova's line, layer by layer."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Dict, NamedTuple, Optional, Union

from placement_recovery.detection.logs.frames import read_frame
from placement_recovery.detection.logs.jsontext import read_object, read_text

_DEEPEST = 4

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]{0,253}[A-Za-z0-9_.-])?"
_TAG = r"[\w.,/@()+-]{1,128}"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BSD = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
# journalctl -o short-full, short-unix and short-monotonic.
_JOURNAL = (
    r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [A-Z+\d:-]{1,9}"
    r"|\d{9,11}\.\d{1,9}|\[ {0,9}\d{1,12}\.\d{1,9}\]"
)
_DATE = rf"(?:{_ISO}|{_BSD}|{_JOURNAL})"

# Without priority and date it is not a header, but a text with a colon.
_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>(?:(?P<time>{_DATE}) )?|(?P<date>{_DATE}) )"
    rf"(?:(?P<host>{_HOST}) )?{_TAG}(?:\[(?P<process>\d{{1,10}})\])?: *(?P<text>.*)",
    re.ASCII | re.DOTALL,
)
_SYSLOG_5424 = re.compile(
    rf"<\d{{1,3}}>1 (?P<time>{_ISO}|-) (?P<host>{_HOST}|-) \S{{1,48}} (?P<process>\S{{1,128}}) \S{{1,32}} "
    r"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?\ufeff?(?P<text>.*)",
    re.ASCII | re.DOTALL,
)

# The second form is how rsyslog writes the escape character.
_COLOUR = re.compile(r"(?:\x1b|#033)\[[\d;]{0,16}[A-Za-z]")


class Unwrapped(NamedTuple):
    """The innermost content, a text or oslo.log's JSON record, and what its wrappers name; empty if they do not."""

    content: Union[str, Dict[str, Any]]
    host: str = ""
    process: str = ""
    time: str = ""


def unwrap(line: str, time: str = "") -> Unwrapped:
    """Take all wrappers off one line. The innermost one that names host, process or time counts."""
    layer = Unwrapped(line, time=time)
    for _ in range(_DEEPEST):
        text = _COLOUR.sub("", str(layer.content))
        inner = _open_json(text) if text.startswith("{") else _open_header(text)
        if inner is None:
            return layer._replace(content=text)
        layer = Unwrapped(
            inner.content, inner.host or layer.host, inner.process or layer.process, inner.time or layer.time
        )
        if isinstance(layer.content, dict):
            break
    return layer


def _open_header(text: str) -> Optional[Unwrapped]:
    frame = read_frame(text)
    if frame:
        return Unwrapped(frame.text, time=frame.time)
    match = _SYSLOG_5424.match(text) or _SYSLOG.match(text)
    if not match:
        return None
    found = {name: "" if value in (None, "-") else value for name, value in match.groupdict().items()}
    return Unwrapped(found["text"], found["host"], found["process"], found["time"] or found.get("date", ""))


def _open_json(text: str) -> Optional[Unwrapped]:
    record = read_object(text)
    if "MESSAGE" in record:
        return _open_journal(record)
    if isinstance(record.get("log"), str):
        return Unwrapped(record["log"], time=read_text(record.get("time")))
    if "message" in record or "msg" in record:
        return Unwrapped(record)
    return None


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
