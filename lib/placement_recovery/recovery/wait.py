"""Wait for nova-compute's new provider, and restart nova-compute where its own periodic does not bring it."""

from __future__ import annotations

from typing import Optional, Tuple

from placement_recovery.errors import InvalidInput, ProviderNotReady, StepFailed
from placement_recovery.host.names import check_host_name
from placement_recovery.model import ComputeService, Provider
from placement_recovery.plan.consumers import KEEP
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import Saved
from placement_recovery.recovery.context import Context

POLL_SECONDS = 1.0


def wait_for_periodic(context: Context, journal: Journal) -> str:
    """Give nova-compute one periodic to do it by itself. That it does not is no failure: a restart comes next."""
    provider, missing = _await(context, journal, context.config.periodic_wait)
    if provider is None or missing:
        return f"after {context.config.periodic_wait} s {_what_is_missing(journal.saved, provider, missing)}"
    return f"nova-compute made its new provider {provider.uuid} by itself"


def wait_for_provider(context: Context, journal: Journal) -> str:
    """Wait until the new provider offers what the kept consumers need. Raises ProviderNotReady."""
    saved = journal.saved
    provider, missing = _await(context, journal, context.config.provider_wait)
    if provider is None or missing:
        raise ProviderNotReady(
            f"after {context.config.provider_wait} s {_what_is_missing(saved, provider, missing)}. Look into "
            f"nova-compute's log on {saved.host}, restart it if it hangs, then resume"
        )
    return f"the new provider {provider.uuid} of {saved.node} is there, with {', '.join(sorted(provider.inventories))}"


def restart(context: Context, journal: Journal) -> str:
    """Restart nova-compute, unless its provider is there. Raises HostFailure, StepFailed where that would do harm."""
    saved = journal.saved
    provider, missing = _look(context, journal)
    if provider is not None and not missing:
        return f"no restart: the new provider {provider.uuid} is there"
    if not context.restarter.may_restart:
        return f"restart_how is never: restart nova-compute on {saved.host} by hand if it does not come by itself"
    service = next((one for one in context.nova.services() if one.uuid == saved.service.uuid), saved.service)
    return _restart(context, service)


def restart_host(context: Context, host: str) -> str:
    """Restart nova-compute of a host, outside of a recovery. Raises HostFailure, StepFailed, InvalidInput."""
    check_host_name(host)
    service = next((one for one in context.nova.services() if one.host == host), None)
    if service is None:
        raise InvalidInput(f"nova knows no compute service of host {host}; 'openstack compute service list' does")
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


def new_provider(context: Context, journal: Journal) -> Provider:
    """The new provider with all that it carries, ready for what is kept. Raises ProviderNotReady."""
    provider, missing = _look(context, journal)
    if provider is None or missing:
        raise ProviderNotReady(f"{_what_is_missing(journal.saved, provider, missing)}; resume to wait for it")
    return provider


def _await(context: Context, journal: Journal, seconds: float) -> Tuple[Optional[Provider], Tuple[str, ...]]:
    end = context.clock.seconds() + seconds
    while True:
        provider, missing = _look(context, journal)
        if (provider is not None and not missing) or context.clock.seconds() >= end:
            return provider, missing
        context.clock.sleep(POLL_SECONDS)


def _look(context: Context, journal: Journal) -> Tuple[Optional[Provider], Tuple[str, ...]]:
    """The new provider, if it is there, and what it still lacks."""
    saved = journal.saved
    named = context.reader.provider_named(saved.node)
    if named is None:
        return None, ()
    if named.uuid == saved.stale.uuid:
        raise StepFailed(f"provider {named.uuid} still bears the name {saved.node}: the stale provider is not deleted")
    _check_is_compute_nodes(context, saved, named)
    journal.map_provider(saved.stale.uuid, named.uuid)
    provider = context.placement.describe(named)
    return provider, _missing(provider, saved)


def _check_is_compute_nodes(context: Context, saved: Saved, named: Provider) -> None:
    """A restart may give the compute node yet another UUID, so Nova is asked for whose provider this is."""
    if named.uuid == saved.new_provider:
        return
    hypervisor = context.nova.find_hypervisor(named.uuid)
    if hypervisor is None or (hypervisor.host, hypervisor.node) != (saved.host, saved.node):
        raise StepFailed(
            f"the name {saved.node} is taken by provider {named.uuid}, which is not that of {saved.host}'s compute "
            f"node: see who made it, and resume when the name is free"
        )


def _missing(provider: Provider, saved: Saved) -> Tuple[str, ...]:
    """Classes that kept consumers need and nova brings; custom ones set by hand are restored later."""
    parts = (part for one in saved.with_disposition(KEEP) for part in one.consumer.on(saved.stale_uuids).values())
    needed = {name for part in parts for name in part if not name.startswith("CUSTOM_")}
    if not provider.inventories:
        return tuple(sorted(needed)) or ("any inventory",)
    return tuple(sorted(needed - set(provider.inventories)))


def _what_is_missing(saved: Saved, provider: Optional[Provider], missing: Tuple[str, ...]) -> str:
    if provider is None:
        return f"nova-compute on {saved.host} has not made its new provider {saved.node} yet"
    return f"the new provider {provider.uuid} of {saved.node} has no {', '.join(missing)} yet"
