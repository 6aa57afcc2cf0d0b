"""nova-compute's side of the holds: its resource tracker counts its periodics, and stops where a test wants it to."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

import nova.conf
from nova.compute.resource_tracker import ResourceTracker
from nova.scheduler.client.report import SchedulerReportClient
from oslo_log import log

from lab.openstack.control import Control, Periodic

CONF, LOG = nova.conf.CONF, log.getLogger(__name__)
POLL_SECONDS = 0.05
# How the report client's method is called that looks up the provider and creates what is missing: new, old.
LOOKUPS = ("get_provider_subtree_and_ensure_root", "get_provider_tree_and_ensure_root")

# The number of the periodic that runs in this thread or green thread; 0 in others, such as a boot's.
_running: contextvars.ContextVar[int] = contextvars.ContextVar("running", default=0)


@cache
def control() -> Control:
    """The control files of this nova-compute's host; only once nova.conf has been read."""
    return Control(Path(CONF.state_path).parent)


def install() -> None:
    """Puts the count and the points in place; before nova-compute starts, and once."""
    tracker, client = ResourceTracker, SchedulerReportClient
    lookup = next(name for name in LOOKUPS if hasattr(client, name))
    tracker.update_available_resource = _counted(tracker.update_available_resource)
    setattr(client, lookup, _held("before-lookup", getattr(client, lookup)))
    client._create_resource_provider = _held_for_a_root(client._create_resource_provider)


def stand(point: str) -> None:
    """Stops the running periodic here for as long as a test wants it to, at most the hold's limit."""
    number, request = _running.get(), control().request(point)
    if not number or request is None:
        return
    LOG.info("periodic %d is held at %s", number, point)
    control().write_arrival(point, request, number)
    deadline = time.monotonic() + request.limit
    while control().request(point) == request and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    expired = control().withdraw(point, request)
    LOG.info("periodic %d goes on from %s%s", number, point, ", for the hold has expired" if expired else "")


def _counted(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def periodic(*arguments: Any, **named: Any) -> Any:
        number, error = control().begin_periodic(), ""
        outer = _running.set(number)
        try:
            return method(*arguments, **named)
        except Exception as exception:
            error = f"{type(exception).__name__}: {exception}"
            raise
        finally:
            stand("end")
            _running.reset(outer)
            control().end_periodic(Periodic(number, error))

    return periodic


def _held(point: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def held(*arguments: Any, **named: Any) -> Any:
        stand(point)
        return method(*arguments, **named)

    return held


def _held_for_a_root(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def held(client: Any, context: Any, uuid: str, name: str, parent_provider_uuid: str | None = None) -> Any:
        if parent_provider_uuid is None:
            stand("before-creation")
        return method(client, context, uuid, name, parent_provider_uuid=parent_provider_uuid)

    return held
