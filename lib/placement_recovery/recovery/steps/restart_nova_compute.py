"""restart_nova_compute: only where its own periodic did not bring the new provider, and only where nothing breaks."""

from __future__ import annotations

from placement_recovery.cloud.model import ComputeService
from placement_recovery.errors import InvalidInput, StepFailed
from placement_recovery.names import check_host_name
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import find_new_provider


def restart_nova_compute(context: Context, journal: Journal) -> str:
    """Restart nova-compute, unless its provider is there. Raises HostFailure, StepFailed where that would do harm."""
    saved = journal.saved
    seen = find_new_provider(context, journal)
    if seen.ready is not None:
        return f"no restart: the new provider {seen.ready.uuid} is there"
    if not context.restarter.may_restart:
        return f"restart_how is never: restart nova-compute on {saved.host} by hand if its provider does not appear"
    service = next((one for one in context.nova.services() if one.uuid == saved.service.uuid), saved.service)
    return _restart(context, service)


def restart_host(context: Context, host: str) -> str:
    """Restart nova-compute of a host, outside of a recovery. Raises HostFailure, StepFailed, InvalidInput."""
    check_host_name(host)
    service = next((one for one in context.nova.services() if one.host == host), None)
    if service is None:
        raise InvalidInput(f"nova lists no compute service of host {host}: see 'openstack compute service list'")
    return _restart(context, service)


def _restart(context: Context, service: ComputeService) -> str:
    host = service.host
    if service.forced_down:
        raise StepFailed(f"{host} is forced down, and a restart would bring it back. Try again when it is safe")
    busy = [one for one in context.nova.servers_on(host) if one.task_state]
    if busy:
        more = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
        raise StepFailed(
            f"a restart would break what is under way on {host}: server {busy[0].uuid} ({busy[0].task_state}){more}. "
            f"Try again when it is over"
        )
    return context.restarter.restart(host)
