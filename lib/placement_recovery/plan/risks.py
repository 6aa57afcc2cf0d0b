"""What speaks against a recovery: what forbids it, and what is worth knowing."""

from __future__ import annotations

from typing import List

from placement_recovery import commands
from placement_recovery.cloud.model import Provider
from placement_recovery.config import may_automate
from placement_recovery.plan.capacity import misfits, shrunk
from placement_recovery.plan.case import Case
from placement_recovery.plan.consumers import BLOCKED, DROP, KEEP, TRIM
from placement_recovery.plan.method import DISCARD, TRANSPLANT
from placement_recovery.plan.owners import HOSTLESS_SERVER, MIGRATION, UNKNOWN
from placement_recovery.plan.transplant import transplant_notes, transplant_refusals

PERSISTENT_MEMORY = "CUSTOM_PMEM_NAMESPACE_"


def refusals(case: Case) -> List[str]:
    """Why it must not be done; empty where it may."""
    found = _service_refusals(case) + _provider_refusals(case)
    found += [
        f"consumer {one.uuid} ({one.label}): {one.evidence}"
        for one in case.decisions
        if one.disposition == BLOCKED
    ]
    if case.snapshot.owners.unseen:
        found.append(f"{case.snapshot.owners.unseen}; plan again when that is mended")
    found += _move_refusals(case) + _only_part_refusals(case)
    found += [f"{who} also holds {what}" for who, what in sorted(case.around.crowded.items())]
    if case.request.method == TRANSPLANT:
        return found + transplant_refusals(case) + _automation_refusals(case)
    stale = case.stale.inventories
    for problem in misfits(case.kept, stale) or shrunk(case.kept.values(), stale, case.hypervisor.reported):
        found.append(
            f"{problem}: what is kept would not fit the new provider. Use method=transplant, which moves "
            f"over-committed hosts too, or move servers away"
        )
    return found + _automation_refusals(case)


def _service_refusals(case: Case) -> List[str]:
    service, host = case.snapshot.service, case.hypervisor.host
    if service is None:
        return [f"nova lists no nova-compute service for {host}; start nova-compute there first"]
    if service.forced_down:
        return [
            f"the compute service of {host} is forced down: the host may be fenced, and a restart would bring it back. "
            f"Unset it when the host is safe ('openstack compute service set --up {host} nova-compute')"
        ]
    if service.state != "up":
        return [f"the compute service of {host} is {service.state}; bring nova-compute up first"]
    return []


def _provider_refusals(case: Case) -> List[str]:
    found = []
    node, uuid = case.hypervisor.node, case.stale.uuid
    if _is_bare_metal(case):
        found.append(f"{node} is a bare-metal node: its providers are Ironic's, and are not recovered")
    memory = sorted(one for one in case.stale.inventories if one.startswith(PERSISTENT_MEMORY))
    if memory:
        found.append(
            f"the stale provider {uuid} offers persistent memory ({', '.join(memory)}): nova-compute fails at its next "
            f"start after any change of such a host's root. Recover it by hand"
        )
    if case.children and not case.stale.parent_uuid and case.request.method != TRANSPLANT:
        children = ", ".join(one.name for one in case.children)
        found.append(
            f"the stale provider {uuid} has children, which {case.request.method} would lose: {children}. Use "
            f"method=transplant, which keeps them with their UUIDs and allocations"
        )
    if case.stale.parent_uuid:
        found.append(f"provider {uuid} is itself a child of {case.stale.parent_uuid}: no compute node's provider is")
    unfinished = case.around.unfinished
    found += [unfinished_refusal(case.hypervisor.host, unfinished)] if unfinished else []
    if case.snapshot.set_aside is not None:
        return found + _set_aside_refusals(case)
    return found + [_locked(case.stale, one) for one in case.stale.locked_by if one != unfinished]


def _set_aside_refusals(case: Case) -> List[str]:
    if case.request.method == TRANSPLANT:
        return []
    return [f"provider {case.stale.uuid} was set aside by a transplant: only method=transplant can finish that"]


def _locked(provider: Provider, recovery_id: str) -> str:
    return (
        f"provider {provider.uuid} is locked by recovery {recovery_id}, which is not unfinished here: another "
        f"StackStorm may be at work on it. If none is, audit_cloud and show_recoveries say how to remove the lock"
    )


def unfinished_refusal(host: str, recovery_id: str) -> str:
    """Why nothing is begun on a host whose recovery stopped, or is under way."""
    return (
        f"recovery {recovery_id} of {host} is not finished: it is under way, or if it stopped, resume it with "
        f"'{commands.resume(recovery_id)}'"
    )


def _is_bare_metal(case: Case) -> bool:
    classes = set(case.stale.inventories)
    return case.hypervisor.type.lower() == "ironic" or (
        bool(classes) and all(one.startswith("CUSTOM_") for one in classes)
    )


def _move_refusals(case: Case) -> List[str]:
    """Moves under way of servers that hold nothing here yet, but may the next moment."""
    blocked = {one.uuid for one in case.decisions if one.disposition == BLOCKED}
    owners = case.snapshot.owners
    return [
        f"server {one.server_uuid}: {one.route} is {one.status}; wait until it is over"
        for one in owners.migrations
        if one.is_open and one.server_uuid in owners.servers and not blocked & {one.server_uuid, one.uuid}
    ]


def _only_part_refusals(case: Case) -> List[str]:
    """Moves whose part would go while their server lives here and has none of its own."""
    if case.request.method == DISCARD:
        return []
    owners, here = case.snapshot.owners, (case.hypervisor.host, case.hypervisor.node)
    holders = {one.uuid for one in case.decisions}
    found = []
    for one in case.decisions:
        move = owners.migration(one.uuid) if one.kind == MIGRATION and one.disposition in (DROP, TRIM) else None
        server = owners.servers.get(move.server_uuid) if move else None
        if server and (server.host, server.node) == here and server.uuid not in holders:
            found.append(
                f"consumer {one.uuid} ({one.label}): server {server.uuid} lives here and holds nothing of the "
                f"provider itself, so this part of its {one.evidence} may be its only one. Look at "
                f"'{commands.heal_allocations(server.uuid)}' first"
            )
    return found


def _automation_refusals(case: Case) -> List[str]:
    if not case.request.automatic:
        return []
    config, host = case.config, case.hypervisor.host
    if config.automation == "disabled":
        return ["a trigger asked for this, and automation is disabled in the pack's configuration"]
    if not may_automate(config, host):
        return [f"a trigger asked for this, and {host} matches none of automation_hosts in the pack's configuration"]
    return []


def notes(case: Case) -> List[str]:
    """What a person should know, and what forbids nothing."""
    found = []
    for one in case.decisions:
        if one.kind == UNKNOWN and one.disposition == KEEP:
            found.append(f"unknown consumer {one.uuid} is kept: {one.evidence}")
            continue
        if one.kind == HOSTLESS_SERVER and one.disposition == KEEP:
            found.append(f"{one.label} {one.uuid} is kept: {one.evidence}")
        elsewhere = sorted(one.consumer.without(case.tree))
        if elsewhere:
            found.append(f"{one.label} {one.uuid} also holds {', '.join(elsewhere)}, which stays as it is")
    if not case.snapshot.is_called_so:
        found.append(
            f"{case.snapshot.requested_name} was asked for, and host {case.hypervisor.host} (node "
            f"{case.hypervisor.node}) is the only one that is called alike"
        )
    service = case.snapshot.service
    if service is not None and service.status == "disabled":
        reason = service.disabled_reason or "no reason given"
        found.append(f"the compute service of {service.host} is disabled already ({reason}) and will stay so")
    if case.request.method == TRANSPLANT:
        return found + transplant_notes(case)
    if case.around.restart_way:
        found.append(f"restart, if need be: {case.around.restart_way}")
    return found
