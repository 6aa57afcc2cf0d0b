"""Nova's state, set row by row: the tests' side of `nova_rows.py`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import uuid as uuids
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Sequence, Tuple

PROJECT = "70726f6a656374" + "0" * 18
USER = "75736572" + "0" * 24
CELL = "cell1"
SECOND_CELL = "cell2"
CELL_TABLES = ("services", "compute_nodes", "instances", "migrations")

SCRIPT = Path(__file__).with_name("nova_rows.py")


class RowsError(AssertionError):
    """Nova's objects refused a command of the test."""


class RowsProcess:
    """The process that runs Nova's objects; one command at a time, from any thread."""

    def __init__(self, python: Path, config: Path, log: Path, environment: Dict[str, str]) -> None:
        self._lock = threading.Lock()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(python), str(SCRIPT), str(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                text=True, start_new_session=True, env=environment,
            )
        self._log = log
        self._answer()

    def do(self, command: str, **arguments: Any) -> Any:
        """The result of a command. Raises RowsError with what Nova raised."""
        with self._lock:
            assert self._process.stdin
            self._process.stdin.write(json.dumps({**arguments, "do": command}) + "\n")
            self._process.stdin.flush()
            return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=20)

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RowsError(f"the process of Nova's rows has ended, see {self._log}")
        answer = json.loads(line)
        if "error" in answer:
            raise RowsError(answer["error"])
        return answer["ok"]


class NovaRows:
    """Compute services, servers and migrations as Nova's API shows them. Amounts are VCPUs, MiB, GiB."""

    def __init__(self, process: RowsProcess, restart_nova_api: Callable[[], None]) -> None:
        self._process = process
        self._restart_nova_api = restart_nova_api
        self._cells: Dict[str, str] = {}  # of hosts, servers and migrations

    # compute services and nodes

    def compute(
        self, host: str, node: str = "", uuid: str = "", *, hypervisor_type: str = "QEMU", service_up: bool = True,
        disabled: bool = False, disabled_reason: Optional[str] = None, forced_down: bool = False, mapped: bool = True,
        vcpus: int = 16, memory_mb: int = 65536, disk_gb: int = 1028, cell: str = CELL,
    ) -> str:
        """A nova-compute with one node (default: named as the host); again on the same host: one more node.

        Returns the node's UUID. `mapped=False`: discover_hosts has not run, so that no list shows the node.
        """
        uuid = uuid or new_uuid()
        service = {
            "up": service_up, "disabled": disabled, "disabled_reason": disabled_reason, "forced_down": forced_down
        }
        self.second_cell(cell)
        self._cells[host] = cell
        self._do(
            "compute", host, host=host, node=node or host, uuid=uuid, mapped=mapped, service=service,
            hypervisor_type=hypervisor_type, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb,
        )
        return uuid

    def map_host(self, host: str) -> None:
        """discover_hosts runs: the lists show the host's node."""
        self._do("map_host", host, host=host)

    def service(self, host: str) -> Dict[str, Any]:
        """disabled, disabled_reason and forced_down, from the row."""
        found: Dict[str, Any] = self._do("service", host, host=host)
        return found

    def set_service(self, host: str, **fields: Any) -> None:
        """Any of up, disabled, disabled_reason, forced_down."""
        self._do("set_service", host, host=host, **fields)

    def compute_node(self, host: str) -> Dict[str, str]:
        """uuid and name of the host's only node."""
        found: Dict[str, str] = self._do("node", host, host=host)
        return found

    def set_compute_node(self, host: str, **columns: Any) -> None:
        """Any column of the host's only node: uuid, hypervisor_hostname, hypervisor_type."""
        self._do("set_node", host, host=host, **columns)

    def heartbeat(self) -> None:
        """All services that are up report anew; it happens every few seconds by itself."""
        self._process.do("heartbeat")

    def delete_compute(self, host: str) -> None:
        """As `compute service delete`: service, node and host mapping are gone."""
        self._do("delete_compute", host, host=host)

    # servers

    def server(
        self, uuid: str = "", *, host: Optional[str] = None, node: Optional[str] = None, vm_state: str = "active",
        task_state: Optional[str] = None, vcpus: int = 1, memory_mb: int = 512, disk_gb: int = 1,
        ephemeral_gb: int = 0, project: str = PROJECT, user: str = USER, name: str = "server", power_state: int = 1,
        system_metadata: Optional[Dict[str, str]] = None, cell: str = "",
    ) -> str:
        """A server in a cell (its host's, or the first). node: by default as the host; host None: it has none."""
        uuid = uuid or new_uuid()
        self._cells[uuid] = cell or self._cell(host or "")
        self.second_cell(self._cells[uuid])
        spec = self._cells[uuid] != CELL  # what nova-api shows of a server while its cell is down
        self._do(
            "server", uuid, spec=spec, uuid=uuid, host=host, node=node or host, vm_state=vm_state,
            task_state=task_state, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb,
            ephemeral_gb=ephemeral_gb, project_id=project, user_id=user, display_name=name,
            power_state=power_state, system_metadata=system_metadata or {},
        )
        return uuid

    def servers(self, count: int, **options: Any) -> Tuple[str, ...]:
        """Many servers that are alike; the options are those of `server`."""
        if not count:
            return ()
        first = self.server(**options)
        copies = [new_uuid() for _ in range(count - 1)]
        self._cells.update((copy, self._cells[first]) for copy in copies)
        self._do("copy_server", first, uuid=first, copies=copies)
        return (first, *copies)

    def unscheduled_server(
        self, uuid: str = "", *, vcpus: int = 1, memory_mb: int = 512, disk_gb: int = 1, project: str = PROJECT,
        user: str = USER, name: str = "server",
    ) -> str:
        """A server that is still a build request: BUILD, in no cell and without a host."""
        uuid = uuid or new_uuid()
        self._process.do(
            "unscheduled_server", uuid=uuid, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb, ephemeral_gb=0,
            project_id=project, user_id=user, display_name=name, power_state=0, system_metadata={},
        )
        return uuid

    def set_server(self, uuid: str, **fields: Any) -> None:
        """Any column (host, node, vm_state, task_state); amounts as in `server`; system_metadata is merged."""
        self._do("set_server", uuid, uuid=uuid, **fields)

    def soft_delete_server(self, uuid: str) -> None:
        """SOFT_DELETED: it can be restored and is not deleted, but only lists with deleted=true show it."""
        self.set_server(uuid, vm_state="soft-delete", task_state=None)

    def delete_server(self, uuid: str) -> None:
        """DELETED; its migrations are listed no more, its instance actions remain."""
        self._do("delete_server", uuid, uuid=uuid)

    def forget_servers(self) -> None:
        """All servers are DELETED, and no migration is listed any more."""
        self._process.do("forget_servers")

    def archive_server(self, uuid: str) -> None:
        """Nova knows nothing of it any more, whether it was deleted before or not."""
        self._do("archive_server", uuid, uuid=uuid)

    # migrations

    def migration(
        self, server: str, *, source_host: str, dest_host: Optional[str], source_node: str = "",
        dest_node: Optional[str] = None, status: str = "finished", type: str = "migration", hidden: bool = False,
        cross_cell_move: bool = False, uuid: str = "",
    ) -> str:
        """A move of a server, which need not exist; nodes are by default named as the hosts. Returns its UUID."""
        uuid = uuid or new_uuid()
        self._cells[uuid] = self._cell(server)
        self._do(
            "migration", uuid, uuid=uuid, instance_uuid=server, source_compute=source_host,
            source_node=source_node or source_host, dest_compute=dest_host, dest_node=dest_node or dest_host,
            dest_host="127.0.0.1", status=status, migration_type=type, hidden=hidden,
            cross_cell_move=cross_cell_move, user_id=USER, project_id=PROJECT,
        )
        return uuid

    def set_migration(self, uuid: str, **columns: Any) -> None:
        """Any column, status first of all."""
        self._do("set_migration", uuid, uuid=uuid, **columns)

    def delete_migration(self, uuid: str) -> None:
        """Soft-deleted: /os-migrations does not list it any more."""
        self._do("delete_migration", uuid, uuid=uuid)

    # cells

    def second_cell(self, cell: str = SECOND_CELL) -> None:
        """Make sure that there is such a cell; the first use costs a restart of nova-api, which caches its cells."""
        if cell != CELL and self._process.do("add_cell", name=cell):
            self._restart_nova_api()

    @contextlib.contextmanager
    def cell_down(self, cell: str = SECOND_CELL, tables: Sequence[str] = CELL_TABLES) -> Iterator[None]:
        """In the block nova-api's queries of the cell fail, or only those of some tables.

        As when its database is away: services and servers of the cell are UNKNOWN (>= 2.69), lists of servers and
        migrations leave it out, and lists of hypervisors, and the search for one that is in no cell, answer 500.
        """
        self.second_cell(cell)
        self._process.do("cell_down", name=cell, tables=list(tables))
        try:
            yield
        finally:
            self._process.do("cell_up", name=cell)

    def _do(self, command: str, of: str, **arguments: Any) -> Any:
        return self._process.do(command, cell=self._cell(of), **arguments)

    def _cell(self, of: str) -> str:
        return self._cells.get(of, CELL)


def new_uuid() -> str:
    """A random UUID."""
    return str(uuids.uuid4())
