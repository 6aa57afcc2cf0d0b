"""The triggers that actions and sensors dispatched, kept in the datastore's SQLite file for runner and tests to read.

Kept from StackStorm: the surface of its API client (st2client, WebhookManager) and of a sensor's service. Left out: its
API refuses a trigger that is not registered, or whose payload breaks its schema, and a sensor's is passed over in
silence; here that is judged where the triggers are read (lab/runner).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from typing import Any, Dict, Optional

PATH_VARIABLE = "PLACEMENT_RECOVERY_LAB_DATASTORE"
# Another process may hold the file's write lock for as long as it writes a value of some MB.
BUSY_SECONDS = 30
SCHEMA = (
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


class Client:
    """What ``get_api_client()`` gives: the webhooks alone."""

    def __init__(self) -> None:
        self.webhooks = Webhooks()


def record(trigger: str, payload: Any, trace_tag: Optional[str]) -> None:
    """Keep one; a payload that is no JSON is an error, as it is on StackStorm's way to its queue."""
    row = (trigger, json.dumps(payload), trace_tag or "", time.time())
    connection = _open(os.environ[PATH_VARIABLE])
    try:
        connection.execute("INSERT INTO dispatched (trigger, payload, trace_tag, time) VALUES (?, ?, ?, ?)", row)
    finally:
        connection.close()


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(SCHEMA)
    return connection
