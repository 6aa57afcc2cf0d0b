"""The ways in which clouds come to a stale provider, done to a lab; and one look-alike.

Each function waits until nova-compute has really logged the fault and gives its facts.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from lab.openstack.cloud import Lab
from lab.waiting import LabError, LogMark, wait_until

FAULT = "ResourceProviderCreationFailed"
REFUSED = re.compile(r"placement API for UUID ([0-9a-f-]{36})\. Got 409")
FAULT_SECONDS = 120.0


@dataclass(frozen=True)
class Fault:
    """What a broken host looks like: the provider that bears its node's name, and its compute node's UUID."""

    kind: str
    host: str
    node: str
    stale_uuid: str
    new_uuid: str


def hostname_flip(lab: Lab, host: str = "compute-0") -> Fault:
    """The node's name turns into the FQDN and back: live servers stay on the stale provider (nova < 2023.1)."""
    if lab.release != "26":
        raise LabError("a flip of the host's name breaks releases before 2023.1 only: use a lab with --release 26")
    stale = lab.client.provider(host)["uuid"]
    log = lab.mark(host)
    lab.stop_compute(host)
    lab.start_compute(host, node_name=f"{host}.example.org")
    log.wait_for("Deleting orphan compute node", timeout=FAULT_SECONDS)
    wait_until(f"nova forgets the node {host}", lambda: _node(lab, stale) is None, FAULT_SECONDS, log.log)
    lab.stop_compute(host)
    log = lab.mark(host)
    lab.start_compute(host, node_name="")
    return _await_fault(lab, "hostname-flip", host, stale, log)


def reinstall(lab: Lab, host: str = "compute-0") -> Fault:
    """An unknown consumer holds the provider, the service is deleted, the host comes back reinstalled."""
    _refuse_servers(lab, host)
    stale = lab.client.provider(host)["uuid"]
    lab.client.allocate(str(uuid.uuid4()), stale, {"VCPU": 2, "MEMORY_MB": 1024})
    lab.stop_compute(host)
    lab.client.delete_service(host)
    log = lab.mark(host)
    lab.reinstall_compute(host)
    return _await_fault(lab, "reinstall", host, stale, log)


def failed_resize(lab: Lab, host: str = "compute-0") -> Fault:
    """A server is deleted in ERROR while the source of its unconfirmed resize is down: what the migration held stays.

    The service is deleted then. From 2023.1 on the host must forget its compute_id too.
    """
    _refuse_servers(lab, host)
    stale = lab.client.provider(host)["uuid"]
    server = lab.client.boot("resized", host)
    lab.client.resize(server)
    lab.stop_compute(host)
    lab.client.force_down(host)
    lab.client.reset_state(server)
    lab.client.delete(server)
    if not lab.client.allocations_of_provider(stale):
        raise LabError(f"the resize left nothing behind on {host}, provider {stale}: the fault cannot come about")
    lab.client.delete_service(host)
    log = lab.mark(host)
    (lab.start_compute if lab.release == "26" else lab.reinstall_compute)(host)
    return _await_fault(lab, "failed-resize", host, stale, log)


def database(lab: Lab, host: str = "compute-0") -> Fault:
    """A hand in the database: the compute node's row is gone and its UUID new; live servers stay, on any release."""
    stale = lab.client.provider(host)["uuid"]
    lab.stop_compute(host)
    with closing(sqlite3.connect(lab.folder / "db" / "cell1.db", timeout=60)) as cell, cell:
        cell.execute("UPDATE compute_nodes SET deleted = id, deleted_at = datetime('now') WHERE uuid = ?", (stale,))
    if lab.release != "26":
        (lab.host_folder(host) / "state" / "compute_id").write_text(str(uuid.uuid4()))
    log = lab.mark(host)
    lab.start_compute(host)
    return _await_fault(lab, "database", host, stale, log)


def duplicate_node(lab: Lab, host: str = "compute-0") -> Fault:
    """No stale provider: a second nova-compute, on HOST-twin, reports a live node's name and logs the same."""
    twin = f"{host}-twin"
    healthy = lab.client.provider(host)["uuid"]
    log = lab.mark(twin)
    lab.add_compute(twin, node_name=host)
    return _await_fault(lab, "duplicate-node", twin, healthy, log)


KINDS: dict[str, Callable[[Lab, str], Fault]] = {
    "hostname-flip": hostname_flip,
    "reinstall": reinstall,
    "failed-resize": failed_resize,
    "database": database,
    "duplicate-node": duplicate_node,
}


def _await_fault(lab: Lab, kind: str, host: str, stale: str, log: LogMark) -> Fault:
    """The facts, once nova-compute has logged the fault, Nova lists the host's new node and sees its service alive."""
    log.wait_for(FAULT, timeout=FAULT_SECONDS)
    refused = REFUSED.search(log.text())
    if refused is None:
        raise LabError(f"{host} logged {FAULT}, but for another cause than a name that is taken; see {log.log}")
    new = refused[1]
    scheduler = lab.log("scheduler")
    node = wait_until(f"nova lists {host}'s new node {new}", lambda: _node(lab, new), FAULT_SECONDS, scheduler)
    # After a long standstill it is "down" until nova-compute has reported once more.
    wait_until(f"nova takes the service of {host} for alive", lambda: _is_alive(lab, host), FAULT_SECONDS, log.log)
    return Fault(kind, host, node, stale, new)


def _is_alive(lab: Lab, host: str) -> bool:
    """Whether nova-compute reports; one that is forced down is not expected to look so."""
    service = lab.client.service(host)
    return bool(service["forced_down"]) or service["state"] == "up"


def _node(lab: Lab, identifier: str) -> str | None:
    """The name of the hypervisor with this UUID; None if Nova does not list it."""
    names = {hypervisor["id"]: hypervisor["hypervisor_hostname"] for hypervisor in lab.client.hypervisors()}
    return names.get(identifier)


def _refuse_servers(lab: Lab, host: str) -> None:
    servers = [server["id"] for server in lab.client.servers(host)]
    if servers:
        raise LabError(f"this fault wants a host without servers; {host} has {', '.join(servers)}: delete them first")
