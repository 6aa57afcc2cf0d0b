"""What the cloud holds, as StackStorm's actions list and show it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from placement_recovery.cloud.model import as_dict
from placement_recovery.entry.parameters import check_one_of
from placement_recovery.entry.results import ActionResult, with_context
from placement_recovery.plan.report import columns
from placement_recovery.recovery.context import Context


def providers(action: Any, name: str, uuid: str, in_tree: str) -> ActionResult:
    """Resource providers with what they carry, filtered as Placement filters them."""
    filters = {key: value for key, value in (("name", name), ("uuid", uuid), ("in_tree", in_tree)) if value}

    def call(context: Context) -> Dict[str, Any]:
        bare = context.placement.list_providers(**filters)
        found = context.reader.each(context.placement.describe, bare) if filters else list(bare)
        rows = [(one.name, one.uuid, str(one.generation), one.parent_uuid or "") for one in found]
        return {
            "summary": f"{len(found)} resource provider(s)",
            "resource_providers": [as_dict(one) for one in found],
            "table": "\n".join(columns([("name", "uuid", "generation", "parent"), *rows])),
        }

    return with_context(action, call)


def allocations(action: Any, provider: str, consumer: str) -> ActionResult:
    """The allocations on a provider (by name or UUID), or all those of a consumer."""

    def call(context: Context) -> Dict[str, Any]:
        check_one_of("provider", provider, "consumer", consumer)
        if consumer:
            found = [context.placement.show_consumer(consumer)]
            return _consumers(f"consumer {consumer} holds {len(found[0].allocations)} provider(s)", found)
        uuid = _provider_uuid(context, provider)
        found = list(context.reader.consumers([uuid]))
        return {**_consumers(f"{len(found)} consumer(s) hold provider {provider} ({uuid})", found), "provider": uuid}

    return with_context(action, call)


def _consumers(summary: str, found: Any) -> Dict[str, Any]:
    rows = [
        (one.uuid, uuid, " ".join(f"{name}={amount}" for name, amount in sorted(part.items())))
        for one in found
        for uuid, part in one.allocations.items()
    ]
    return {
        "summary": summary,
        "consumers": [as_dict(one) for one in found],
        "table": "\n".join(columns([("consumer", "provider", "resources"), *rows])),
    }


def _provider_uuid(context: Context, provider: str) -> str:
    named: Optional[Any] = context.reader.find_provider_by_name(provider)
    if named is not None:
        return str(named.uuid)
    return context.placement.show_provider(provider).uuid


def servers(action: Any, host: str) -> ActionResult:
    """The servers that Nova has on a host, of all projects."""

    def call(context: Context) -> Dict[str, Any]:
        found = context.nova.servers_on(host)
        rows = [(one.uuid, one.name, one.status, one.task_state, one.node) for one in found]
        return {
            "summary": f"{len(found)} server(s) on host {host}",
            "servers": [as_dict(one) for one in found],
            "table": "\n".join(columns([("uuid", "name", "status", "task", "node"), *rows])),
        }

    return with_context(action, call)
