"""One record of nova's log, from oslo.log's text or its JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

from placement_recovery.detection.logs.anchors import ANCHOR, CREATION_FAILED, LOGGER
from placement_recovery.detection.logs.jsontext import read_text
from placement_recovery.detection.logs.wrappers import Unwrapped, unwrap

# What stands before nova's sentence, in whatever order and form.
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"(?: ?Z|[+-]\d\d:?\d\d| [A-Z]{2,5}(?=\.))?(?:\.\d{1,9})?",
    re.ASCII,
)
_LEVEL = re.compile(r"(?<![\w.])(?:DEBUG|INFO|AUDIT|WARN|WARNING|ERROR|CRITICAL|TRACE)(?![\w.])")
_PROCESS = re.compile(r"(?<!\S)\d{1,10}(?!\S)", re.ASCII)
# Where a record of nova's ends: a line feed, or what rsyslog writes for one.
_END = re.compile(r"[\r\n]|#01[25]")
_LONGEST_HEADER = 2000

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
    """Return the record that a line holds, whatever wraps it; None if none of nova's sentences is in it.

    Only the first line of a record counts. Another program may quote nova's sentence in its message, and the text alone
    does not show which it is; that is why the API decides.
    """
    found = unwrap(line, time)
    if isinstance(found.content, dict):
        return _from_json(found.content, found)
    anchor = ANCHOR.search(found.content)
    return _from_text(found.content[: anchor.start()], found.content[anchor.start() :], found) if anchor else None


def _from_text(header: str, text: str, found: Unwrapped) -> Entry:
    """The record of nova's sentence, with the fields that the header before it shows."""
    header = header[-_LONGEST_HEADER:]
    loggers, levels, times = (list(one.finditer(header)) for one in (LOGGER, _LEVEL, _TIME))
    context = header[loggers[-1].end() :] if loggers else header
    numbers = _PROCESS.findall(header[times[-1].end() if times else 0 : levels[-1].start() if levels else len(header)])
    requests = _REQUEST.findall(context)
    message = _END.split(text, maxsplit=1)[0].rstrip()
    return Entry(
        host=found.host,
        process=numbers[0] if numbers else found.process,
        time=_shown_time(times[-1].group() if times else found.time),
        level=levels[-1].group() if levels else "",
        logger=loggers[-1].group() if loggers else "",
        # Newer releases put the global request id, often None, before the request's own.
        request_id=requests[:2][-1] if requests else "",
        message=message,
        exception=_last_line([line for line in _lines_of(found.exception) if CREATION_FAILED in line]),
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
