"""The triggers that actions and sensors dispatched, and what the pack's rules make of them (standard library only).

for instance in triggers.read(datastore):
    for match in triggers.match(instance.trigger, instance.payload):
        execution = client.run(match.action, match.parameters, trigger=instance.payload, datastore=datastore)
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from lab.stackstorm.runner import ROOT, Refused, Running

_BUSY_SECONDS = 30
_POLL_SECONDS = 0.1


class Instance(NamedTuple):
    """A trigger that was dispatched; ids grow in the order of dispatch, ``time`` is seconds since the epoch."""

    id: int
    trigger: str
    payload: Any
    trace_tag: str
    time: float


class Match(NamedTuple):
    """A rule that a trigger meets: its action, and the action's parameters with their templates in them."""

    rule: str
    action: str
    parameters: Mapping[str, Any]


def read(datastore: Path, after: int = 0) -> list[Instance]:
    """All triggers in a datastore's file that came after the one of that id."""
    if not datastore.exists():
        return []
    with closing(sqlite3.connect(datastore, timeout=_BUSY_SECONDS)) as connection:
        if not connection.execute("SELECT name FROM sqlite_master WHERE name = 'dispatched'").fetchone():
            return []
        query = "SELECT id, trigger, payload, trace_tag, time FROM dispatched WHERE id > ? ORDER BY id"
        rows = connection.execute(query, (after,)).fetchall()
    return [Instance(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in rows]


def wait(datastore: Path, count: int = 1, timeout: float = 60, after: int = 0) -> list[Instance]:
    """Wait until so many came; TimeoutError."""
    deadline = time.monotonic() + timeout
    while len(found := read(datastore, after)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(found)} of {count} triggers came within {timeout} s")
        time.sleep(_POLL_SECONDS)
    return found


def match(
    trigger: str, payload: Any, *, parameters: Mapping[str, Any] | None = None, pack: Path = ROOT
) -> list[Match]:
    """The rules of the pack that are enabled and whose criteria the payload meets.

    ``parameters`` are those of the trigger (a webhook's url). Refused where StackStorm would not dispatch it at all: an
    unknown trigger, or a payload that breaks its schema.
    """
    request = {
        "op": "match",
        "pack": str(pack.absolute()),
        "trigger": trigger,
        "payload": payload,
        "parameters": dict(parameters or {}),
    }
    with Running("match", request, None, lambda _event: None) as running:
        events = running.until_ended()
    if not events or events[-1]["event"] != "judged":
        raise Refused(events[-1]["message"] if events else "the engine ended early")
    return [Match(e["rule"], e["action"], e["parameters"]) for e in events if e["event"] == "matched"]
