"""The triggers that actions and sensors dispatch, kept in the datastore's SQLite file (standard library, Python 3.8).

Kept from StackStorm: the surface of its API client (st2client, WebhookManager) and of a sensor's service. Left out: its
API refuses a trigger that is not registered, or whose payload breaks its schema, and a sensor's is passed over in
silence; here that is judged where a trigger meets the rules (``matching``).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

PATH_VARIABLE = "PLACEMENT_RECOVERY_LAB_DATASTORE"
# Another process may hold the file's write lock for as long as it writes a value of some MB.
BUSY_SECONDS = 30
_POLL_SECONDS = 0.1
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS dispatched"
    " (id INTEGER PRIMARY KEY AUTOINCREMENT, trigger TEXT, payload TEXT, trace_tag TEXT, time REAL)"
)


class Webhooks:
    """``client.webhooks`` of StackStorm's API client, as far as actions use it."""

    def post_generic_webhook(
        self, trigger: str, payload: Optional[Dict[str, Any]] = None, trace_tag: Optional[str] = None
    ) -> Dict[str, Any]:
        """Dispatch a trigger; the answer is the request's body."""
        record(trigger, payload or {}, trace_tag)
        return {"trigger": trigger, "payload": payload or {}}


class ApiClient:
    """What ``get_api_client()`` gives: the webhooks alone."""

    def __init__(self) -> None:
        self.webhooks = Webhooks()


class Instance(NamedTuple):
    """A trigger that was dispatched; ids grow in the order of dispatch, ``time`` is seconds since the epoch."""

    id: int
    trigger: str
    payload: Any
    trace_tag: str
    time: float


def record(trigger: str, payload: Any, trace_tag: Optional[str]) -> None:
    """Keep one; a payload that is no JSON is an error, as it is on StackStorm's way to its queue."""
    row = (trigger, json.dumps(payload), trace_tag or "", time.time())
    with closing(sqlite3.connect(os.environ[PATH_VARIABLE], timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(_SCHEMA)
        connection.execute("INSERT INTO dispatched (trigger, payload, trace_tag, time) VALUES (?, ?, ?, ?)", row)


def read(datastore: Path, after: int = 0) -> List[Instance]:
    """All triggers in a datastore's file that came after the one of that id."""
    if not datastore.exists():
        return []
    with closing(sqlite3.connect(str(datastore), timeout=BUSY_SECONDS)) as connection:
        if not connection.execute("SELECT name FROM sqlite_master WHERE name = 'dispatched'").fetchone():
            return []
        query = "SELECT id, trigger, payload, trace_tag, time FROM dispatched WHERE id > ? ORDER BY id"
        rows = connection.execute(query, (after,)).fetchall()
    return [Instance(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in rows]


def wait(datastore: Path, count: int = 1, timeout: float = 60, after: int = 0) -> List[Instance]:
    """Wait until so many came; TimeoutError."""
    deadline = time.monotonic() + timeout
    found = read(datastore, after)
    while len(found) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(found)} of {count} triggers came within {timeout} s")
        time.sleep(_POLL_SECONDS)
        found = read(datastore, after)
    return found
