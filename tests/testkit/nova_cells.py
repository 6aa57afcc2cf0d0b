"""Nova's databases as `nova_rows` reaches them: contexts, cells, transactions. Runs inside the nova environment."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import nova.conf
from nova import config, context, objects, rpc
from nova.db.api import api as api_database
from nova.db.main import api as main_database
from sqlalchemy import event, text
from sqlalchemy.engine import Engine, make_url


@event.listens_for(Engine, "connect")
def _share(connection: Any, _record: Any) -> None:
    """nova-api has the same files open: wait for its locks, and do not wait for the disk."""
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA synchronous=OFF")


class Cells:
    """The cells of one cloud. `api` is the context of the API database, `contexts` those of the cells by name."""

    def __init__(self, config_file: str) -> None:
        config.parse_args(["nova-rows", "--config-file", config_file], default_config_files=[])
        nova.conf.CONF.set_override("transport_url", "fake:///")
        objects.register_all()
        rpc.init(nova.conf.CONF)
        self.api = context.get_admin_context()
        self.mappings: Dict[str, Any] = {}
        self.contexts: Dict[str, Any] = {}
        self._hidden: Dict[str, List[str]] = {}
        for mapping in objects.CellMappingList.get_all(self.api):
            self._target(mapping)

    def _target(self, mapping: Any) -> None:
        mapping.transport_url = "none:///"  # here only, never saved: rows need no message bus
        self.mappings[mapping.name] = mapping
        target = self.contexts[mapping.name] = context.get_admin_context()
        context.set_target_cell(target, mapping)
        # Nova makes it with the first server, in a transaction that would wait for ours for ever.
        main_database.security_group_ensure_default(target)

    @contextlib.contextmanager
    def transaction(self, cell: str) -> Iterator[Any]:
        """One transaction in the cell and one in the API database; gives the cell's context."""
        target = self.contexts[cell]
        cell_database = main_database.get_context_manager(target)
        with api_database.context_manager.writer.using(self.api), cell_database.writer.using(target):
            # SQLite refuses a transaction that read first where another wrote since: take the locks now.
            self.api.session.execute(text("UPDATE host_mappings SET id = id WHERE id = 0"))
            target.session.execute(text("UPDATE security_groups SET id = id WHERE id = 0"))
            yield target

    def add(self, name: str) -> bool:
        """Map one more cell, whose database is new and empty. False: it was there. nova-api sees it after a restart."""
        if name in self.mappings:
            return False
        first = objects.CellMapping.get_by_uuid(self.api, self.mappings["cell1"].uuid)
        model = self._file("cell1")
        _copy_schema(model, model.with_name(f"{name}.db"))
        mapping = objects.CellMapping(self.api, uuid=str(uuid.uuid4()), name=name)
        mapping.database_connection = first.database_connection.replace(model.name, f"{name}.db")
        mapping.transport_url = first.transport_url
        mapping.create()
        self._target(mapping)
        return True

    def hide(self, cell: str, tables: List[str]) -> None:
        """Take tables of a cell out of nova-api's sight."""
        self._rename(cell, [(table, f"{table}_hidden") for table in tables])
        self._hidden[cell] = tables

    def show(self, cell: str) -> None:
        """Put the cell's tables back."""
        self._rename(cell, [(f"{table}_hidden", table) for table in self._hidden.pop(cell)])

    def seen(self) -> List[str]:
        """The names of the cells with computes that are not hidden."""
        return [name for name in self.contexts if name != "cell0" and name not in self._hidden]

    def _rename(self, cell: str, pairs: List[Tuple[str, str]]) -> None:
        with contextlib.closing(sqlite3.connect(self._file(cell), timeout=30, isolation_level=None)) as database:
            database.execute("PRAGMA legacy_alter_table=ON")  # leaves other tables' references to them alone
            database.execute("BEGIN IMMEDIATE")
            for old, new in pairs:
                database.execute(f"ALTER TABLE {old} RENAME TO {new}")
            database.execute("COMMIT")

    def _file(self, cell: str) -> Path:
        return Path(str(make_url(self.mappings[cell].database_connection).database))


def _copy_schema(source: Path, target: Path) -> None:
    query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index'"
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        new.execute("PRAGMA journal_mode=WAL")
        for (statement,) in old.execute(query).fetchall():
            new.execute(statement)
        new.commit()
