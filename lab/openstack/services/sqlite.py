"""SQLite settings for services that share one database file: import it once SQLAlchemy may be imported."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import sqlalchemy
from sqlalchemy import event, pool
from sqlalchemy.engine import Engine

BUSY_MILLISECONDS = 60_000

# One connection to each file stays open: SQLite removes the write-ahead log with the last one, and oslo.db opens one
# for each transaction.
_kept: dict[str, sqlite3.Connection] = {}


@event.listens_for(Engine, "connect")
def _connected(connection: Any, _record: Any) -> None:
    """A write-ahead log lets readers pass a writer; the lab's data need not survive a power cut."""
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    connection.execute("PRAGMA synchronous=OFF")
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    if file and file not in _kept:
        connection.execute("PRAGMA journal_mode=WAL")
        _kept[file] = sqlite3.connect(file, check_same_thread=False)
        _kept[file].execute("SELECT name FROM sqlite_master").fetchone()


@event.listens_for(Engine, "begin")
def _begun(connection: Any) -> None:
    """Takes the write lock at the start: a transaction that reads first and writes later cannot wait for it.

    oslo.db sends a BEGIN of its own unless ``in_transaction`` says that there was one.
    """
    if os.environ.get("LAB_SQLITE_IMMEDIATE") and "in_transaction" not in connection.info:
        connection.info["in_transaction"] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def pool_connections() -> None:
    """Lets a service of one process keep its connections; oslo.db opens one for each transaction on SQLite.

    SQLAlchemy pools them for threads since 2.0. Before the service makes its engines.
    """
    if int(sqlalchemy.__version__.split(".")[0]) >= 2:
        pool.NullPool = pool.QueuePool
