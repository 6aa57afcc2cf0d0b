"""Orphaned locks: their recovery has ended or is unknown, and they block any other."""

from __future__ import annotations

from typing import List, Mapping

from placement_recovery import commands
from placement_recovery.audit.findings import ORPHANED_LOCK, Finding
from placement_recovery.cloud.model import Provider, recovery_of_lock
from placement_recovery.plan.stale_name import recovery_of_stale_name
from placement_recovery.recovery.context import Context

_TYPED = "openstack --os-placement-api-version 1.6"


def orphaned_lock_findings(context: Context, orphaned: Mapping[str, str]) -> List[Finding]:
    """Where these lock traits are, one request each; `orphaned` maps them to what became of their recoveries."""
    looked = context.reader.each(lambda one: _findings(context, *one), list(orphaned.items()))
    return [one for found in looked for one in found]


def _findings(context: Context, lock: str, state: str) -> List[Finding]:
    """A finding per provider that bears the lock, or one where none does."""
    bearers = context.placement.bearers_of(lock)
    if not bearers and lock not in context.placement.list_traits(lock):
        return []  # its recovery has just deleted it
    recovery = f"recovery {recovery_of_lock(lock)}, which is {state}"
    if not bearers:
        return [Finding(ORPHANED_LOCK, "", lock, f"{lock}, on no provider, is a lock of {recovery}", _delete(lock))]
    return [_borne(lock, recovery, one, alone=len(bearers) == 1) for one in bearers]


def _borne(lock: str, recovery: str, provider: Provider, alone: bool) -> Finding:
    summary = f"provider {provider.uuid} ({provider.name}) bears {lock}, so it can be recovered only by {recovery}"
    if recovery_of_stale_name(provider.name):  # what set it aside did not finish, and the lock shows where it stood
        node = provider.name.rpartition(".stale-")[0]
        return Finding(ORPHANED_LOCK, node, lock, summary, commands.recover(node))
    way = [_remove(lock, provider.uuid), *([_delete(lock)] if alone else [])]
    return Finding(ORPHANED_LOCK, provider.name, lock, summary, " && ".join(way))


def _remove(lock: str, uuid: str) -> str:
    """There is no command for one trait: set the others, unless they could not be listed."""
    listed = f"traits=$({_TYPED} resource provider trait list -f value {uuid})"
    others = f'$(echo "$traits" | grep -vx {lock} | sed s/^/--trait=/)'
    return f"{listed} && {_TYPED} resource provider trait set {uuid} {others}"


def _delete(lock: str) -> str:
    return f"{_TYPED} trait delete {lock}"
