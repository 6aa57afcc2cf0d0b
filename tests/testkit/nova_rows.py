"""Writes rows of Nova with Nova's own objects: one JSON command a line on stdin, one JSON answer a line on stdout.

    {"do": "compute", "host": "h1", "node": "h1", "uuid": "..."}  ->  {"ok": null}
    what fails                                                    ->  {"error": "InstanceNotFound: ..."}

It runs in the nova environment (`python nova_rows.py NOVA_CONF`); `rows.py` is its counterpart in the tests.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import select
import sys
import time
from typing import Any, Dict, List, Optional

from nova import exception, objects
from nova.db.main import api as main_database
from nova.db.main import models
from nova_cells import Cells
from nova_servers import ServerRows, now

LONG_AGO = datetime.datetime(2001, 1, 1)
# From version 38 on nova-api calls nova-compute over the message bus when the service is switched; none is there.
SERVICE_VERSION = 37
# nova-api takes a service for down whose last report is older than service_down_time (60 s by default).
HEARTBEAT_SECONDS = 8


class Rows(ServerRows):
    """The commands. Times are UTC; amounts are VCPUs, MiB and GiB."""

    def heartbeat(self) -> None:
        """What each nova-compute does by itself: report that it is there. Services that were set down stay down."""
        for cell in self.cells.seen():
            with self.cells.transaction(cell) as context:
                services = context.session.query(models.Service).filter(models.Service.last_seen_up > LONG_AGO)
                services.update({"last_seen_up": now()}, synchronize_session=False)

    # compute services and nodes

    def compute(self, host: str, node: str, uuid: str, cell: str, mapped: bool, **options: Any) -> None:
        """A nova-compute: its service (if it has none yet), one compute node, its mapping to the cell."""
        context = self.cells.contexts[cell]
        service = self._service(context, host) or self._new_service(context, host)
        self._switch(context, service.id, **options.pop("service"))
        objects.ComputeNode(
            context, host=host, hypervisor_hostname=node, uuid=uuid, service_id=service.id, **_node(**options)
        ).create()
        if mapped:
            self.map_host(host, cell)

    def map_host(self, host: str, cell: str) -> None:
        """What discover_hosts does: without it no list of hypervisors shows the node."""
        try:
            objects.HostMapping.get_by_host(self.cells.api, host)
        except exception.HostMappingNotFound:
            objects.HostMapping(self.cells.api, host=host, cell_mapping=self.cells.mappings[cell]).create()

    def set_service(self, host: str, cell: str, **fields: Any) -> None:
        """up, disabled, disabled_reason, forced_down."""
        context = self.cells.contexts[cell]
        self._switch(context, objects.Service.get_by_compute_host(context, host).id, **fields)

    def service(self, host: str, cell: str) -> Dict[str, Any]:
        """disabled, disabled_reason, forced_down."""
        service = objects.Service.get_by_compute_host(self.cells.contexts[cell], host)
        return {name: service[name] for name in ("disabled", "disabled_reason", "forced_down")}

    def node(self, host: str, cell: str) -> Dict[str, Any]:
        """uuid and name of the host's only compute node."""
        (node,) = objects.ComputeNodeList.get_all_by_host(self.cells.contexts[cell], host)
        return {"uuid": node.uuid, "name": node.hypervisor_hostname}

    def set_node(self, host: str, cell: str, **fields: Any) -> None:
        """Any column of the host's only compute node (uuid, hypervisor_hostname, hypervisor_type)."""
        context = self.cells.contexts[cell]
        (node,) = objects.ComputeNodeList.get_all_by_host(context, host)
        main_database.compute_node_update(context, node.id, fields)

    def delete_compute(self, host: str, cell: str) -> None:
        """As `compute service delete` does: node, host mapping and service are gone."""
        context = self.cells.contexts[cell]
        for node in objects.ComputeNodeList.get_all_by_host(context, host):
            node.destroy()
        with contextlib.suppress(exception.HostMappingNotFound):  # one that was not discovered yet
            objects.HostMapping.get_by_host(self.cells.api, host).destroy()
        objects.Service.get_by_compute_host(context, host).destroy()

    def _service(self, context: Any, host: str) -> Optional[Any]:
        return objects.Service.get_by_host_and_binary(context, host, "nova-compute")

    def _new_service(self, context: Any, host: str) -> Any:
        service = objects.Service(context, host=host, binary="nova-compute", topic="compute", report_count=1)
        service.create()
        return service

    def _switch(self, context: Any, service: int, up: Optional[bool] = None, **fields: Any) -> None:
        if up is not None:
            fields["last_seen_up"] = now() if up else LONG_AGO
        main_database.service_update(context, service, dict(fields, version=SERVICE_VERSION))

    # migrations

    def migration(self, cell: str, **fields: Any) -> None:
        """A migration; the fields are the columns."""
        context = self.cells.contexts[cell]
        migration = objects.Migration(context, **fields)
        if "dest_compute_id" in migration.fields:  # since 2023.2
            migration.dest_compute_id = self.node_id(context, fields["dest_compute"], fields["dest_node"])
        migration.create()

    def set_migration(self, uuid: str, cell: str, **fields: Any) -> None:
        """Any column."""
        migration = objects.Migration.get_by_uuid(self.cells.contexts[cell], uuid)
        for name, value in fields.items():
            setattr(migration, name, value)
        migration.save()

    def delete_migration(self, uuid: str, cell: str) -> None:
        """Soft-delete it, as nova does to the migrations of a deleted server: it is listed no more."""
        context = self.cells.contexts[cell]
        with main_database.get_context_manager(context).writer.using(context):
            main_database.model_query(context, models.Migration).filter_by(uuid=uuid).soft_delete()

    # cells

    def add_cell(self, name: str) -> bool:
        """Map one more cell. False: it was there."""
        return self.cells.add(name)

    def cell_down(self, name: str, tables: List[str]) -> None:
        """From now on nova-api's queries of these tables of the cell fail, as they do when its database is away."""
        self.cells.hide(name, tables)

    def cell_up(self, name: str) -> None:
        """The cell answers again."""
        self.cells.show(name)


def _node(hypervisor_type: str, vcpus: int, memory_mb: int, disk_gb: int) -> Dict[str, Any]:
    return {
        "hypervisor_type": hypervisor_type, "hypervisor_version": 1, "vcpus": vcpus, "memory_mb": memory_mb,
        "local_gb": disk_gb, "vcpus_used": 0, "memory_mb_used": 512, "local_gb_used": 0,
        "free_ram_mb": memory_mb - 512, "free_disk_gb": disk_gb, "disk_available_least": disk_gb,
        "current_workload": 0, "running_vms": 0, "cpu_info": "{}", "host_ip": "127.0.0.1", "mapped": 1,
        "cpu_allocation_ratio": 4.0, "ram_allocation_ratio": 1.0, "disk_allocation_ratio": 1.0,
    }


def run(rows: Rows, command: Dict[str, Any]) -> Any:
    """Carry out one command; `do` names a public method of Rows, the rest are its arguments.

    What names a cell is one transaction.
    """
    arguments = dict(command)
    name = arguments.pop("do")
    if name.startswith("_"):
        raise ValueError(f"{name} is no command")
    with rows.cells.transaction(command["cell"]) if "cell" in command else contextlib.nullcontext():
        return getattr(rows, name)(**arguments)


def answer(rows: Rows, line: str) -> Dict[str, Any]:
    """The answer to one line: `ok` with the result, or `error` with the exception's class and text."""
    try:
        return {"ok": run(rows, json.loads(line))}
    except Exception as error:  # whatever Nova raises is for the test to see
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Serve stdin until it ends. What Nova prints goes to stderr, so that stdout holds answers only."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    rows = Rows(Cells(sys.argv[1]))
    print(json.dumps({"ok": "ready"}), file=answers, flush=True)
    due = time.monotonic() + HEARTBEAT_SECONDS
    while True:
        # One command is under way at a time, so that none can hide in the reader's buffer.
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            line = sys.stdin.readline()
            if not line:
                return
            print(json.dumps(answer(rows, line)), file=answers, flush=True)
        if time.monotonic() >= due:
            rows.heartbeat()
            due = time.monotonic() + HEARTBEAT_SECONDS


if __name__ == "__main__":
    main()
