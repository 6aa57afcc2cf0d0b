"""The same lines of nova's log, in every form in which a log reaches a collector."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Callable, Dict, List

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
HOST = "rack7-compute-0"

Lines = List[str]

_PLAIN = re.compile(
    r"(?P<date>\S+ [\d:]+)\.(?P<milliseconds>\d{3}) (?P<process>\d+) (?P<level>[A-Z]+) (?P<name>[\w.]+) "
    r"(?:\[(?:None )?(?P<request>req-\S+|-)[^\]]*\] (?P<message>.*)|(?P<more>.*))"
)


def sample(name: str) -> Lines:
    """Lines of one sample log, without their ends."""
    return (SAMPLES / name).read_text().splitlines()


def as_bytes(lines: Lines) -> bytes:
    """The file that holds these lines."""
    return "".join(line + "\n" for line in lines).encode()


def plain(lines: Lines) -> Lines:
    """oslo.log's default."""
    return lines


def without_global_request(lines: Lines) -> Lines:
    """Older releases: the request's own id only."""
    return [line.replace("[None req-", "[req-") for line in lines]


def with_ansi_end(lines: Lines) -> Lines:
    """oslo.log's ColorHandler ends each record so."""
    return [line + "\x1b[00m" for line in lines]


def coloured(lines: Lines) -> Lines:
    """devstack's colours, which stand between the parts of the line."""
    return ["\x1b[01;31m" + re.sub(r"\[None (req-\S+)([^]]*)\] ", _colour, line) + "\x1b[00m" for line in lines]


def _colour(match: re.Match) -> str:
    return f"\x1b[01;31m[\x1b[01;36mNone {match[1]} \x1b[00;36m{match[2].strip()}\x1b[01;31m] \x1b[01;35m\x1b[01;31m"


def without_time_and_process(lines: Lines) -> Lines:
    """devstack's format for the journal."""
    return [re.sub(r"^\S+ \S+ \d+ ", "", line) for line in lines]


def syslog(lines: Lines) -> Lines:
    """rsyslog's traditional file."""
    return [f"Nov  2 11:00:32 {HOST} nova-compute[2728]: {line}" for line in lines]


def syslog_with_priority(lines: Lines) -> Lines:
    """RFC 3164 as it goes over the wire, host included."""
    return [f"<187>Nov 22 11:00:32 {HOST} nova-compute: {line}" for line in lines]


def syslog_without_host(lines: Lines) -> Lines:
    """What a local syslog socket is given: `<PRI>date tag:`."""
    return [f"<187>Nov 22 11:00:32 nova-compute: {line}" for line in lines]


def syslog_without_date(lines: Lines) -> Lines:
    """Python's SysLogHandler."""
    return [f"<187>nova-compute: {line}" for line in lines]


def syslog_with_bare_tracebacks(lines: Lines) -> Lines:
    """One header per record; the lines of its traceback have none."""
    return [line if _is_traceback(line) else f"<187>Nov 22 11:00:32 {HOST} nova-compute: {line}" for line in lines]


def syslog_of_rsyslog(lines: Lines) -> Lines:
    """rsyslog's file with precise times, its escape of control characters at the end."""
    return [f"2026-11-22T11:00:32.672143+00:00 {HOST} nova-compute[2728]: {line}#033[00m" for line in lines]


def syslog_5424(lines: Lines) -> Lines:
    """RFC 5424, without structured data."""
    return [f"<187>1 2026-11-22T11:00:32.672Z {HOST} nova-compute 2728 - - {line}" for line in lines]


def syslog_5424_with_data(lines: Lines) -> Lines:
    """RFC 5424 with structured data and a byte order mark."""
    data = r'[origin ip="192.0.2.7"][note text="a \"bracket\" \]"]'
    return [f"<187>1 2026-11-22T11:00:32.672Z {HOST} nova-compute 2728 ID47 {data} \ufeff{line}" for line in lines]


def journal_short(lines: Lines) -> Lines:
    """journalctl's default output."""
    return [f"Nov 22 11:00:32 {HOST} nova-compute[2728]: {line}" for line in lines]


def journal_short_iso(lines: Lines) -> Lines:
    """journalctl -o short-iso."""
    return [f"2026-11-22T11:00:32+0000 {HOST} nova-compute[2728]: {line}" for line in lines]


def journal_short_full(lines: Lines) -> Lines:
    """journalctl -o short-full."""
    return [f"Sun 2026-11-22 11:00:32 UTC {HOST} nova-compute[2728]: {line}" for line in lines]


def journal_short_unix(lines: Lines) -> Lines:
    """journalctl -o short-unix."""
    return [f"1795345232.672143 {HOST} nova-compute[2728]: {line}" for line in lines]


def journal_json(lines: Lines) -> Lines:
    """journalctl -o json, one record per line."""
    return [_compact({**_JOURNAL, "MESSAGE": line}) for line in lines]


def journal_json_of_records(lines: Lines) -> Lines:
    """The journal's own handler sends a record with its traceback as one message."""
    return [_compact({**_JOURNAL, "MESSAGE": record}) for record in _records(lines)]


def journal_json_in_numbers(lines: Lines) -> Lines:
    """journalctl writes what has control characters as a list of bytes."""
    return [_compact({**_JOURNAL, "MESSAGE": list(line.encode())}) for line in with_ansi_end(lines)]


def journal_json_in_spaced_numbers(lines: Lines) -> Lines:
    """Older journalctl sets blanks."""
    numbers = [", ".join(str(byte) for byte in line.encode()) for line in with_ansi_end(lines)]
    return [f'{{ "_HOSTNAME" : "{HOST}", "MESSAGE" : [ {listed} ], "_PID" : "2728" }}' for listed in numbers]


def docker(lines: Lines) -> Lines:
    """docker's json-file driver."""
    return [_docker(line + "\n") for line in lines]


def docker_with_blanks(lines: Lines) -> Lines:
    """The same, written by another program."""
    return [json.dumps({"log": line + "\n", "stream": "stderr", "time": "2026-11-22T11:00:32.67Z"}) for line in lines]


def docker_split(lines: Lines, size: int = 40) -> Lines:
    """docker splits what is longer than its buffer (16 KiB; small here), and only the last piece has the line's end."""
    return [_docker(piece) for line in lines for piece in _pieces(line + "\n", size)]


def cri(lines: Lines) -> Lines:
    """containerd's and CRI-O's files."""
    return [f"2026-11-22T11:00:32.672143999Z stdout F {line}" for line in lines]


def cri_split(lines: Lines, size: int = 40) -> Lines:
    """The same with lines that are longer than the runtime's buffer."""
    return [
        f"2026-11-22T11:00:32.672143999+00:00 stdout {'P' if more else 'F'} {piece}"
        for line in lines
        for piece, more in _with_more(_pieces(line, size))
    ]


def oslo_json(lines: Lines) -> Lines:
    """oslo.log's JSONFormatter: a short message, the exception in error_summary and in a list."""
    return [json.dumps(_oslo(record)) for record in _records(lines)]


def oslo_json_traceback_list(lines: Lines) -> Lines:
    """Its older releases have no error_summary."""
    return [json.dumps(_without(_oslo(record), "error_summary")) for record in _records(lines)]


def oslo_json_traceback_text(lines: Lines) -> Lines:
    """The traceback as one text."""
    records = [_without(_oslo(record), "error_summary") for record in _records(lines)]
    return [json.dumps({**record, "traceback": "\n".join(record["traceback"] or [])}) for record in records]


def oslo_json_arguments(lines: Lines) -> Lines:
    """The exception among the arguments, and nowhere else."""
    records = [_oslo(record) for record in _records(lines)]
    return [
        json.dumps({**record, "error_summary": "", "traceback": None, "args": ["compute-0", record["error_summary"]]})
        for record in records
    ]


def docker_of_oslo_json(lines: Lines) -> Lines:
    """A container that logs JSON."""
    return docker(oslo_json(lines))


def docker_split_of_oslo_json(lines: Lines) -> Lines:
    """The same, split within the JSON."""
    return docker_split(oslo_json(lines), 333)


def docker_of_syslog(lines: Lines) -> Lines:
    """A container that runs a syslog daemon."""
    return docker(syslog(lines))


def cri_of_oslo_json(lines: Lines) -> Lines:
    """A pod that logs JSON."""
    return cri(oslo_json(lines))


def syslog_of_oslo_json(lines: Lines) -> Lines:
    """JSON behind a header."""
    return syslog_without_host(oslo_json(lines))


def journal_of_oslo_json(lines: Lines) -> Lines:
    """JSON in JSON."""
    return journal_json(oslo_json(lines))


_JOURNAL = {"_HOSTNAME": HOST, "_PID": "2728", "__REALTIME_TIMESTAMP": "1795345232672143", "PRIORITY": "3"}

NAMELESS: Dict[str, Callable[[Lines], Lines]] = {
    form.__name__: form
    for form in (
        plain,
        without_global_request,
        with_ansi_end,
        coloured,
        syslog_without_host,
        syslog_without_date,
        docker,
        docker_with_blanks,
        docker_split,
        cri,
        cri_split,
    )
}
"""Forms that do not name the host."""

NAMING: Dict[str, Callable[[Lines], Lines]] = {
    form.__name__: form
    for form in (
        syslog,
        syslog_with_priority,
        syslog_with_bare_tracebacks,
        syslog_of_rsyslog,
        syslog_5424,
        syslog_5424_with_data,
        journal_short,
        journal_short_iso,
        journal_short_full,
        journal_short_unix,
        journal_json,
        journal_json_of_records,
        journal_json_in_numbers,
        journal_json_in_spaced_numbers,
        oslo_json,
        oslo_json_traceback_list,
        oslo_json_traceback_text,
        oslo_json_arguments,
        docker_of_oslo_json,
        docker_split_of_oslo_json,
        docker_of_syslog,
        cri_of_oslo_json,
        syslog_of_oslo_json,
        journal_of_oslo_json,
    )
}
"""Forms that name the host."""

ALL = {**NAMELESS, **NAMING}


def _docker(text: str) -> str:
    return _compact({"log": text, "stream": "stdout", "time": "2026-11-22T11:00:32.672143999Z"})


def _compact(record: Dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _pieces(text: str, size: int) -> Lines:
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def _with_more(pieces: Lines):
    return [(piece, index < len(pieces) - 1) for index, piece in enumerate(pieces)]


def _is_traceback(line: str) -> bool:
    match = _PLAIN.match(line)
    return match is None or match["more"] is not None


def _records(lines: Lines) -> Lines:
    records: Lines = []
    for line in lines:
        if records and _is_traceback(line):
            records[-1] += "\n" + line
        else:
            records.append(line)
    return records


def _oslo(record: str) -> Dict[str, object]:
    first, *more = record.split("\n")
    match = _PLAIN.match(first)
    message, _, summary = (match["message"] or "").partition(".: nova.exception.")
    traceback = [_PLAIN.sub(r"\g<more>", line) for line in more]
    return {
        "message": message + "." if summary else message,
        "asctime": match["date"],
        "name": match["name"],
        "args": {},
        "levelname": match["level"],
        "msecs": float(match["milliseconds"]),
        "process": int(match["process"]),
        "traceback": [line for line in traceback if line] or None,
        "hostname": HOST,
        "error_summary": "nova.exception." + summary if summary else "",
        "context": {} if match["request"] == "-" else {"request_id": match["request"], "global_request_id": None},
    }


def _without(record: Dict[str, object], key: str) -> Dict[str, object]:
    return {name: value for name, value in record.items() if name != key}
