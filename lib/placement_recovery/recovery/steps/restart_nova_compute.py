"""restart_nova_compute: only where its periodic did not accept the new provider, and only where nothing breaks."""

from __future__ import annotations

from typing import Callable

from placement_recovery import commands
from placement_recovery.cloud.model import ComputeService
from placement_recovery.errors import InvalidInput, StepFailed
from placement_recovery.names import check_host_name
from placement_recovery.plan.approvals import evacuated
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import find_new_provider


def restart_nova_compute(context: Context, journal: Journal) -> str:
    """Restart nova-compute, unless it has accepted its provider. Raises HostFailure, StepFailed where it does harm."""
    saved = journal.saved
    seen = find_new_provider(context, journal)
    if seen.accepted is not None:
        return f"no restart: nova-compute has accepted its provider {seen.accepted.uuid}"
    if not context.restarter.may_restart:
        return f"restart_how is never: restart nova-compute on {saved.host} by hand if it does not accept its provider"
    service = next((one for one in context.nova.services() if one.uuid == saved.service.uuid), saved.service)
    approved = " ".join(saved.findings)
    _check_guests(context, service.host, lambda server: server in approved)
    return _restart(context, service)


def restart_host(context: Context, host: str, accept_loss: bool = False) -> str:
    """Restart nova-compute of a host, outside of a recovery. Raises HostFailure, StepFailed, InvalidInput.

    With `accept_loss` also where that destroys what is left of guests that were evacuated.
    """
    check_host_name(host)
    service = next((one for one in context.nova.services() if one.host == host), None)
    if service is None:
        raise InvalidInput(f"nova lists no compute service of host {host}: see 'openstack compute service list'")
    if not accept_loss:
        _check_guests(context, host, lambda server: False)
    return _restart(context, service)


def _check_guests(context: Context, host: str, is_approved: Callable[[str], bool]) -> None:
    """Raise StepFailed for guests that were evacuated from the host and that nobody has given up."""
    moves = evacuated(context.nova.migrations_of(host), host)
    lost = [one for one in moves if not is_approved(one.server_uuid)]
    if lost:
        raise StepFailed(
            f"a restart of nova-compute on {host} destroys what is left there of {len(lost)} evacuated guest(s): "
            f"server {lost[0].server_uuid}, evacuated to {lost[0].dest_host}. Nothing was restarted; if they are not "
            f"needed: '{commands.restart(host, accept_loss=True)}'"
        )


def _restart(context: Context, service: ComputeService) -> str:
    host = service.host
    if service.forced_down:
        raise StepFailed(f"{host} is forced down, and a restart would bring it back. Try again when it is safe")
    busy = [f"server {one.uuid} ({one.task_state})" for one in context.nova.servers_on(host) if one.task_state]
    moves = (one for one in context.nova.migrations_of(host) if one.is_open and one.dest_host == host)
    busy += [f"server {one.server_uuid} ({one.type} to this host is {one.status})" for one in moves]
    if busy:
        more = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
        raise StepFailed(
            f"a restart would break what is under way on {host}: {busy[0]}{more}. Try again when it is over"
        )
    return context.restarter.restart(host)
