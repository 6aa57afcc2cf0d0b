"""The compute nodes: each against the provider of its name and the provider of its UUID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Tuple

from placement_recovery import commands
from placement_recovery.audit.cloud_view import CloudView
from placement_recovery.audit.findings import NO_PROVIDER, Finding
from placement_recovery.cloud.model import Hypervisor, Provider
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.errors import ApiNotFound
from placement_recovery.plan.diagnosis import HEALTHY, HOST_NOT_MAPPED, OTHER_FAULT, STALE_PROVIDER, diagnose
from placement_recovery.recovery.context import Context


@dataclass(frozen=True)
class Proven:
    """A stale provider with its proof; `name` is what the host is asked for by."""

    name: str
    hypervisor: Hypervisor
    snapshot: Snapshot

    @property
    def is_locked(self) -> bool:
        """Whether it bears the lock of a recovery, perhaps one that is not known here."""
        return self.snapshot.provider_by_name is not None and bool(self.snapshot.provider_by_name.locked_by)


def node_findings(context: Context, seen: CloudView) -> Tuple[List[Finding], List[Proven]]:
    """What ails compute nodes. Only where the lists disagree is more read: a few requests, as in any diagnosis."""
    findings = [*_duplicates(seen), *_unmapped(seen)]
    proven: List[Proven] = []
    names = {uuid: name for name, uuid in _names(seen)}
    for snapshot in _suspects(seen):
        finding, whole = _judge(context, seen, snapshot)
        if finding is not None:
            findings.append(finding)
        if whole is not None and whole.hypervisor is not None:
            proven.append(Proven(names[whole.hypervisor.uuid], whole.hypervisor, whole))
    return findings, proven


def _names(seen: CloudView) -> Iterator[Tuple[str, str]]:
    """By what each compute node is asked for: its host, unless that has several nodes."""
    for nodes in seen.by_host().values():
        for one in nodes:
            yield (one.host if len(nodes) == 1 else one.node), one.uuid


def _suspects(seen: CloudView) -> Iterator[Snapshot]:
    """The compute nodes, alone of their names, whose provider is not simply there under name and UUID."""
    exact = {one.name: one for one in seen.providers}
    folded = {one.name.casefold(): one for one in seen.providers}
    uuids = {one.uuid: one for one in seen.providers}
    for name, nodes in seen.by_node().items():
        # Placement on MySQL compares names without case.
        named = exact.get(nodes[0].node) or folded.get(name)
        if len(nodes) == 1 and (named is None or named.uuid != nodes[0].uuid):
            yield seen.snapshot(nodes[0], named, uuids.get(nodes[0].uuid))


def _judge(context: Context, seen: CloudView, suspect: Snapshot) -> Tuple[Optional[Finding], Optional[Snapshot]]:
    """The finding, and the whole snapshot where the provider is proven to be stale."""
    if suspect.provider_by_name is None or suspect.provider_by_uuid is not None:
        return _fault(suspect), None
    try:
        whole = context.reader.complete(suspect, holders=True)
    except ApiNotFound:  # its provider went while it was looked at: another audit sees what came of it
        return None, None
    if diagnose(whole).finding == STALE_PROVIDER:
        return None, whole
    return _fault(whole), None


def _fault(snapshot: Snapshot) -> Optional[Finding]:
    diagnosis, hypervisor = diagnose(snapshot), snapshot.hypervisor
    if diagnosis.finding == HEALTHY or hypervisor is None:
        return None
    kind = diagnosis.finding
    if kind == OTHER_FAULT and snapshot.provider_by_name is None and snapshot.provider_by_uuid is None:
        kind = NO_PROVIDER
    return Finding(kind, hypervisor.host, hypervisor.uuid, diagnosis.explanation)


def _duplicates(seen: CloudView) -> Iterator[Finding]:
    for nodes in seen.by_node().values():
        if len(nodes) > 1:
            snapshot = Snapshot(nodes[0].node, seen.hypervisors, (), service=None, matches=tuple(nodes))
            diagnosis = diagnose(snapshot)
            yield Finding(diagnosis.finding, nodes[0].host, nodes[0].node, diagnosis.explanation)


def _unmapped(seen: CloudView) -> Iterator[Finding]:
    services = {one.host: one for one in seen.services}
    for host in seen.hidden:
        diagnosis = diagnose(Snapshot(host, seen.hypervisors, (), service=services[host], matches=()))
        way = commands.discover_hosts()
        yield Finding(HOST_NOT_MAPPED, host, services[host].uuid, diagnosis.explanation, way)


def stale_findings(proven: List[Proven], unfinished: Dict[str, str]) -> Iterator[Finding]:
    """The stale providers; `unfinished` maps hosts to what goes on with their unfinished recovery."""
    for one in proven:
        named, host = _named(one), one.hypervisor.host
        held = f"{len(one.snapshot.consumers)} consumer(s) hold it"
        explanation = f"{diagnose(one.snapshot).explanation}; {held}"
        way = unfinished.get(host) or commands.recover(one.name)
        yield Finding(STALE_PROVIDER, host, named.uuid, explanation, way)


def _named(proven: Proven) -> Provider:
    assert proven.snapshot.provider_by_name is not None
    return proven.snapshot.provider_by_name
