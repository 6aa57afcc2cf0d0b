"""SQLite settings for services that share one database file: import it once SQLAlchemy may be imported."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

BUSY_MILLISECONDS = 60_000


@event.listens_for(Engine, "connect")
def _connected(connection: Any, _record: Any) -> None:
    """A write-ahead log lets readers pass a writer; the lab's data need not survive a power cut."""
    for setting in ("journal_mode=WAL", "synchronous=OFF", f"busy_timeout={BUSY_MILLISECONDS}"):
        connection.execute(f"PRAGMA {setting}")


@event.listens_for(Engine, "begin")
def _begun(connection: Any) -> None:
    """Takes the write lock at the start: a transaction that reads first and writes later cannot wait for it.

    oslo.db sends a BEGIN of its own unless ``in_transaction`` says that there was one.
    """
    if os.environ.get("LAB_SQLITE_IMMEDIATE") and "in_transaction" not in connection.info:
        connection.info["in_transaction"] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")
