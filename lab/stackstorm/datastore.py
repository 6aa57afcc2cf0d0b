"""StackStorm's datastore as an action or a sensor sees it (st2common/services/datastore.py), in one SQLite file.

The file's path comes from the environment, so that actions in processes of their own share it. Kept from StackStorm:
keys local to ``pack.ClassName:`` unless ``local=False``, values that become strings, 100 items a listing unless a limit
is given, None for a missing key, False for the delete of one, ciphertext where an encrypted value is read without
``decrypt``, 16 MB a value, time to live. Left out: users, scopes but the system's, tokens.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import time
from typing import Any, Dict, List, NamedTuple, Optional

from lab.stackstorm.triggers import BUSY_SECONDS, PATH_VARIABLE, ApiClient

MAX_PAGE_SIZE = 100
MAX_VALUE_BYTES = 16 * 1024 * 1024
SYSTEM_SCOPE = "system"
SCHEMA = "CREATE TABLE IF NOT EXISTS pairs (name TEXT PRIMARY KEY, value TEXT, secret INTEGER, expires REAL)"
NOT_EXPIRED = "(expires IS NULL OR expires > ?)"


class DatastoreError(Exception):
    """The datastore would have refused this call, or its file is not there."""


class KeyValuePair(NamedTuple):
    """One item of a listing."""

    name: str
    value: str
    secret: bool = False


class DatastoreService:
    """The datastore's client, for the keys of one class of one pack."""

    def __init__(self, logger: logging.Logger, pack_name: str, class_name: str, auth_token: str = "") -> None:
        self._logger = logger
        self._prefix = f"{pack_name}.{class_name}:"
        self._connection: Optional[sqlite3.Connection] = None

    def get_user_info(self) -> Dict[str, Any]:
        """Who calls, as GET /v1/user tells: without RBAC everybody is an admin."""
        rbac = {"enabled": False, "roles": [], "is_admin": True}
        return {"username": "st2admin", "authentication": {"method": "authentication token"}, "rbac": rbac}

    def get_value(
        self, name: str, local: bool = True, scope: str = SYSTEM_SCOPE, decrypt: bool = False
    ) -> Optional[str]:
        """The key's value, or None where there is no such key."""
        self._check_scope(scope)
        key = self._key(name, local)
        self._logger.debug("Retrieving value from the datastore (name=%s)", key)
        query = "SELECT name, value, secret FROM pairs WHERE name = ? AND " + NOT_EXPIRED
        row = self._database().execute(query, (key, time.time())).fetchone()
        return None if row is None else _pair(row, decrypt).value

    def set_value(
        self,
        name: str,
        value: Any,
        ttl: Optional[int] = None,
        local: bool = True,
        scope: str = SYSTEM_SCOPE,
        encrypt: bool = False,
    ) -> bool:
        """Write the value as a string, for ``ttl`` seconds or for ever; DatastoreError above 16 MB."""
        self._check_scope(scope)
        key, text = self._key(name, local), str(value)
        self._logger.debug("Setting value in the datastore (name=%s)", key)
        if len(key) + len(text.encode()) >= MAX_VALUE_BYTES:
            raise DatastoreError(f"500 Server Error: the value of {key} is larger than 16 MB")
        expires = time.time() + ttl if ttl else None
        self._database().execute("INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?)", (key, text, int(encrypt), expires))
        return True

    def delete_value(self, name: str, local: bool = True, scope: str = SYSTEM_SCOPE) -> bool:
        """Delete the key. True where there is none too: st2client takes the 404 for a success."""
        self._check_scope(scope)
        key = self._key(name, local)
        self._logger.debug("Deleting value from the datastore (name=%s)", key)
        query = "DELETE FROM pairs WHERE name = ? AND " + NOT_EXPIRED
        self._database().execute(query, (key, time.time()))
        return True

    def list_values(
        self,
        local: bool = True,
        prefix: Optional[str] = None,
        limit: Optional[int] = None,
        offset: Optional[int] = 0,
    ) -> List[KeyValuePair]:
        """The items whose key begins with the prefix: 100 at most unless a limit is given (-1: all)."""
        self._logger.debug("Retrieving all the values from the datastore")
        start = (self._prefix if local else "") + (prefix or "")
        rows = self._database().execute(
            "SELECT name, value, secret FROM pairs WHERE substr(name, 1, ?) = ? AND "
            + NOT_EXPIRED
            + " ORDER BY name LIMIT ? OFFSET ?",
            (len(start), start, time.time(), limit or MAX_PAGE_SIZE, offset or 0),
        )
        return [_pair(row, decrypt=False) for row in rows]

    def get_api_client(self) -> ApiClient:
        """The client of StackStorm's API, by which triggers are dispatched."""
        return ApiClient()

    def _key(self, name: str, local: bool) -> str:
        return self._prefix + name if local else name

    def _check_scope(self, scope: str) -> None:
        if scope != SYSTEM_SCOPE:
            raise ValueError(f"Scope {scope} is unsupported.")

    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            path = os.environ.get(PATH_VARIABLE)
            if not path:
                raise DatastoreError(f"{PATH_VARIABLE} does not name the datastore's file")
            # isolation_level=None: each statement is a transaction of its own, as each API call is.
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(SCHEMA)
            self._connection = connection
        return self._connection


def _pair(row: Any, decrypt: bool) -> KeyValuePair:
    name, value, secret = row
    if secret and not decrypt:
        # What matters is that it is not the value: StackStorm answers with its ciphertext.
        value = hashlib.sha256(value.encode()).hexdigest().upper()
    return KeyValuePair(name, value, bool(secret))
