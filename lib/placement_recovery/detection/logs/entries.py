"""One record of nova's log, from oslo.log's text or its JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

from placement_recovery.detection.logs.jsontext import read_text
from placement_recovery.detection.logs.wrappers import Unwrapped, unwrap

_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"

# oslo.log's logging_context_format_string; devstack's leaves time and process to the journal.
_PLAIN = re.compile(
    rf"(?:(?P<time>{_TIME}) )?(?:(?P<process>\d{{1,10}}) )?(?P<level>[A-Z]{{4,8}}) (?P<logger>nova\.[\w.]{{1,100}}) "
    r"\[(?P<context>[^\[\]]*)\] (?:\[instance: [^\[\]]*\] )?(?P<message>[^\n]*)",
    re.ASCII,
)
CREATION_FAILED = "ResourceProviderCreationFailed: "

_REQUEST = re.compile(r"req-[A-Za-z0-9-]{1,64}")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_LONGEST_TIME = 40


@dataclass(frozen=True)
class Entry:
    """One record: `exception` is the exception's own line if it is separate from the message, else empty."""

    host: str
    process: str
    time: str
    level: str
    logger: str
    request_id: str
    message: str
    exception: str


def read_entry(line: str, time: str = "") -> Optional[Entry]:
    """Return the record that a line holds, whatever wraps it; None if it is not a record of nova's.

    Only the first line of a record counts: a line break in a quoted text does not start a new one. (In a plain file it
    does, and cannot be distinguished from a real line; that is why the API decides.)
    """
    found = unwrap(line, time)
    if isinstance(found.content, dict):
        return _from_json(found.content, found)
    match = _PLAIN.match(found.content)
    return _from_plain(match, found) if match else None


def _from_plain(match: Any, found: Unwrapped) -> Entry:
    return Entry(
        host=found.host,
        process=match["process"] or found.process,
        time=_shown_time(match["time"] or found.time),
        level=match["level"],
        logger=match["logger"],
        request_id=_request_of(match["context"]),
        message=match["message"].rstrip(),
        exception="",  # a part of the message
    )


def _from_json(record: Mapping[str, Any], found: Unwrapped) -> Optional[Entry]:
    logger, level = record.get("name"), record.get("levelname", record.get("level"))
    if not isinstance(logger, str) or not isinstance(level, str):
        return None
    context = record.get("context")
    return Entry(
        host=_word(record.get("hostname")) or found.host,
        process=_word(record.get("process")) or found.process,
        time=_shown_time(_time_of(record) or found.time),
        level=level,
        logger=logger,
        request_id=_word(context.get("request_id")) if isinstance(context, dict) else "",
        message=_message_of(record),
        exception=_exception_of(record),
    )


def _request_of(context: str) -> str:
    # Newer releases put the global request id, often None, before the request's own.
    found = ""
    for word in context.split(" ")[:2]:
        found = word if _REQUEST.fullmatch(word) else found
    return found


def _message_of(record: Mapping[str, Any]) -> str:
    message = read_text(record.get("message"))
    template, arguments = read_text(record.get("msg")), record.get("args")
    if message or not isinstance(arguments, dict):
        return message
    # Never by %: a template from a log may ask for a gigabyte of blanks.
    return re.sub(r"%\((\w+)\)[sd]", lambda match: read_text(arguments.get(match[1])), template)


def _exception_of(record: Mapping[str, Any]) -> str:
    for place in (record.get("error_summary"), record.get("traceback")):
        found = _last_line(_lines_of(place))
        if found:
            return found
    arguments = record.get("args")
    values = list(arguments.values()) if isinstance(arguments, dict) else arguments
    # Most arguments are not exceptions.
    return _last_line([line for line in _lines_of(values) if CREATION_FAILED in line])


def _lines_of(place: Any) -> List[str]:
    texts = place if isinstance(place, list) else [place]
    return [line for text in texts for line in read_text(text).split("\n")]


def _last_line(lines: List[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _time_of(record: Mapping[str, Any]) -> str:
    text = read_text(record.get("asctime", record.get("time"))).replace(",", ".")
    milliseconds = record.get("msecs")
    if text[-3:-2] == ":" and isinstance(milliseconds, float) and 0 <= milliseconds < 1000:
        return f"{text}.{int(milliseconds):03d}"
    return text


def _shown_time(text: str) -> str:
    return text if len(text) <= _LONGEST_TIME and text.isprintable() else ""


def _word(value: Any) -> str:
    text = read_text(value)
    return text if _WORD.fullmatch(text) else ""
