"""The databases of a lab. Migrations take most of a first start, so their outcome is cached and copied.

A cached set holds placeholders where a lab's own ports and folder belong: each copy is made to fit its lab.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from lab.environments import cache_folder
from lab.locking import exclusive
from lab.openstack.identity import Keystone
from lab.openstack.settings import PASSWORD, REGION, Ports, database, transport

PLACEHOLDER_PORTS = Ports(1, 2, 3, 4, 5)
PLACEHOLDER_FOLDER = "/folder-of-the-lab"
Run = Callable[..., None]
Say = Callable[[str], None]


class Databases:
    """Fills ``folder/db``: from the cache, or by the projects' own commands and then into the cache."""

    def __init__(self, folder: Path, environment: Path, ports: Ports, run: Run, say: Say) -> None:
        self._folder, self._ports, self._run, self._say = folder, ports, run, say
        recipe = b"".join(
            (Path(__file__).parent / name).read_bytes() for name in ("databases.py", "identity.py", "settings.py")
        )
        key = f"{environment.name}-{hashlib.sha256(recipe).hexdigest()[:8]}"
        self._cached = cache_folder() / "databases" / key

    def prepare(self, keystone: Callable[[], contextlib.AbstractContextManager[str]]) -> None:
        """Makes ``folder/db`` ready; ``keystone`` runs Keystone for a while and gives its address."""
        waiting = "another lab migrates the databases; waiting for it"
        with exclusive(self._cached.with_suffix(".lock"), waiting):
            if not self._cached.exists():
                self._migrate(keystone)
                self._store()
        shutil.copytree(self._cached, self._folder / "db", dirs_exist_ok=True)
        self._adapt(PLACEHOLDER_FOLDER, str(self._folder), PLACEHOLDER_PORTS, self._ports)

    def _migrate(self, keystone: Callable[[], contextlib.AbstractContextManager[str]]) -> None:
        self._say("migrating the databases, once for this environment; takes about a minute")
        (self._folder / "db").mkdir(exist_ok=True)
        with ThreadPoolExecutor() as pool:
            parts = [
                pool.submit(part) for part in (self._migrate_keystone, self._migrate_nova, self._migrate_placement)
            ]
        for part in parts:
            part.result()
        with keystone() as url:
            at = PLACEHOLDER_PORTS.url
            endpoints = {"compute": at("nova_api", "/v2.1"), "placement": at("placement", "/")}
            endpoints |= {"image": at("glance_and_neutron", "/image"), "network": at("glance_and_neutron", "/network")}
            Keystone(url).fill(endpoints)

    def _migrate_keystone(self) -> None:
        self._run("keystone-manage", "db_sync")
        for repository in ("fernet", "credential"):
            _write_keys(self._folder / "db" / repository)
        url = PLACEHOLDER_PORTS.url("keystone", "/v3")
        urls = [f"--bootstrap-public-url={url}", f"--bootstrap-internal-url={url}"]
        names = [f"--bootstrap-password={PASSWORD}", f"--bootstrap-region-id={REGION}"]
        self._run("keystone-manage", "bootstrap", *names, *urls)

    def _migrate_placement(self) -> None:
        self._run("placement-manage", "db", "sync")

    def _migrate_nova(self) -> None:
        self._run("nova-manage", "api_db", "sync")
        cell0, cell1 = (database(self._folder, name) for name in ("cell0", "cell1"))
        self._run("nova-manage", "cell_v2", "map_cell0", "--database_connection", cell0)
        bus = transport(PLACEHOLDER_PORTS)
        create = ("create_cell", "--name", "cell1", "--database_connection", cell1, "--transport-url", bus)
        self._run("nova-manage", "cell_v2", *create)
        self._run("nova-manage", "db", "sync")

    def _store(self) -> None:
        """Into the cache in one rename, so that a set is there as a whole or not at all."""
        unfinished = self._cached.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._adapt(str(self._folder), PLACEHOLDER_FOLDER, self._ports, PLACEHOLDER_PORTS)
        shutil.copytree(self._folder / "db", unfinished)
        unfinished.rename(self._cached)

    def _adapt(self, folder: str, to_folder: str, ports: Ports, to_ports: Ports) -> None:
        """Rewrites what the databases say of the lab's folder and ports."""
        addresses = list(zip(asdict(ports).values(), asdict(to_ports).values(), strict=True))
        with _opened(self._folder / "db" / "keystone.db") as keystone:
            for old, new in addresses:
                values = (f"127.0.0.1:{old}/", f"127.0.0.1:{new}/")
                keystone.execute("UPDATE endpoint SET url = replace(url, ?, ?)", values)
        with _opened(self._folder / "db" / "api.db") as nova:
            change = "UPDATE cell_mappings SET database_connection = replace(database_connection, ?, ?)"
            nova.execute(change, (folder, to_folder))
            change = "UPDATE cell_mappings SET transport_url = ? WHERE name = 'cell1'"
            nova.execute(change, (transport(to_ports),))


def _write_keys(repository: Path) -> None:
    """The keys that fernet_setup makes; that command insists on a user that the system knows by name."""
    repository.mkdir(mode=0o700)
    for number in range(2):
        (repository / str(number)).write_bytes(base64.urlsafe_b64encode(os.urandom(32)))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Commits what was done, and takes the write-ahead log into the file, so that the file alone can be copied."""
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        with connection:
            yield connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
