"""Starts one OpenStack service or command with the lab's settings.

    python -m lab.openstack.services.run NAME [ARGUMENT...]

keystone, placement and nova-api take a port and serve on loopback; the others are the projects' own commands.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable
from typing import Any

COMMANDS = {
    "keystone-manage": "keystone.cmd.manage",
    "placement-manage": "placement.cmd.manage",
    "nova-manage": "nova.cmd.manage",
    "nova-conductor": "nova.cmd.conductor",
    "nova-scheduler": "nova.cmd.scheduler",
    "nova-compute": "nova.cmd.compute",
}


def keystone() -> Any:
    """Keystone's public WSGI application."""
    return importlib.import_module("keystone.server.wsgi").initialize_public_application()


def placement() -> Any:
    """Placement's WSGI application."""
    return importlib.import_module("placement.wsgi").init_application()


def nova_api() -> Any:
    """Nova's compute API as a WSGI application; where it is made depends on the release."""
    try:
        return importlib.import_module("nova.wsgi.osapi_compute").application
    except ImportError:
        return importlib.import_module("nova.api.openstack.compute.wsgi").init_application()


# With more threads than one, Keystone and Placement on SQLite answer some writes with 500 "database is locked".
APPLICATIONS: dict[str, tuple[Callable[[], Any], int]] = {
    "keystone": (keystone, 1),
    "placement": (placement, 1),
    "nova-api": (nova_api, 8),
}


def serve(name: str, port: int) -> None:
    """Serves a WSGI application until the process is ended."""
    sqlite().pool_connections()
    make, threads = APPLICATIONS[name]
    wsgi = importlib.import_module("cheroot.wsgi")
    application = make()
    gc.freeze()  # what an application is made of stays: a tenth of the time went into looking it through
    gc.set_threshold(50_000, 50, 100)
    wsgi.Server(("127.0.0.1", port), application, numthreads=threads, request_queue_size=128, timeout=300).start()


def sqlite() -> Any:
    """Puts the SQLite settings in place; never before the service has had its chance to patch the library."""
    return importlib.import_module("lab.openstack.services.sqlite")


def command(name: str) -> Any:
    """Runs a command of the projects with the arguments that are left."""
    module = importlib.import_module(COMMANDS[name])
    if name == "nova-compute":
        # Nova imports virt drivers from below nova.virt only.
        sys.modules["nova.virt.lab"] = importlib.import_module("lab.openstack.services.virt")
        importlib.import_module("lab.openstack.services.periodics").install()
    else:
        sqlite()
    return module.main()


if __name__ == "__main__":
    service, *rest = sys.argv[1:]
    sys.argv = [service] if service in APPLICATIONS else [service, *rest]
    if service in APPLICATIONS:
        serve(service, int(rest[0]))
    else:
        sys.exit(command(service))
