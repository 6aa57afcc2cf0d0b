"""What the cloud holds, as StackStorm's actions list and show it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from placement_recovery.cloud.model import Provider, as_dict
from placement_recovery.entry.parameters import check_one_of, check_uuid
from placement_recovery.entry.results import ActionResult, with_context
from placement_recovery.errors import ApiNotFound, InvalidInput
from placement_recovery.plan.report import columns, counted
from placement_recovery.recovery.context import Context

# What a provider carries; a list of all does not tell it.
CARRIED = ("inventories", "traits", "aggregates")


def providers(action: Any, name: str, uuid: str, in_tree: str) -> ActionResult:
    """Resource providers with what they carry, filtered as Placement filters them."""
    filters = {key: value for key, value in (("name", name), ("uuid", uuid), ("in_tree", in_tree)) if value}

    def call(context: Context) -> Dict[str, Any]:
        bare = context.placement.list_providers(**filters)
        found = context.reader.each(context.placement.describe, bare) if filters else list(bare)
        rows = [(one.name, one.uuid, str(one.generation), one.parent_uuid or "") for one in found]
        more = "" if filters else "; with name, uuid or in_tree, what each carries is shown too"
        return {
            "summary": f"{counted(len(found), 'resource provider')}{more}",
            "resource_providers": [as_dict(one) if filters else _bare(one) for one in found],
            "table": "\n".join(columns([("name", "uuid", "generation", "parent"), *rows])),
        }

    return with_context(action, call)


def _bare(provider: Provider) -> Dict[str, Any]:
    """What a list tells of a provider, without what was not read."""
    return {name: value for name, value in as_dict(provider).items() if name not in CARRIED}


def allocations(action: Any, provider: str, consumer: str) -> ActionResult:
    """The allocations on a provider (by name or UUID), or all those of a consumer."""

    def call(context: Context) -> Dict[str, Any]:
        check_one_of("provider", provider, "consumer", consumer)
        if consumer:
            check_uuid("consumer", consumer)
            found = [context.placement.show_consumer(consumer)]
            held = len(found[0].allocations)
            what = f"holds {counted(held, 'provider')}" if held else "holds nothing, or there is none"
            return _consumers(f"consumer {consumer} {what}", found)
        uuid = _provider_uuid(context, provider)
        found = list(context.reader.consumers([uuid]))
        who = f"{counted(len(found), 'consumer')} of provider {provider} ({uuid})"
        return {**_consumers(who, found), "provider": uuid}

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
    try:
        return context.placement.show_provider(provider).uuid
    except ApiNotFound:
        raise InvalidInput(
            f"there is no provider {provider!r}, by name or by UUID; list_resource_providers lists all"
        ) from None


def servers(action: Any, host: str) -> ActionResult:
    """The servers that Nova has on a host, of all projects."""

    def call(context: Context) -> Dict[str, Any]:
        if host not in {one.host for one in context.nova.services()}:
            raise InvalidInput(f"nova lists no compute service of host {host!r}: see 'openstack compute service list'")
        found = context.nova.servers_on(host)
        rows = [(one.uuid, one.name, one.status, one.task_state, one.node) for one in found]
        return {
            "summary": f"{counted(len(found), 'server')} on host {host}",
            "servers": [as_dict(one) for one in found],
            "table": "\n".join(columns([("uuid", "name", "status", "task", "node"), *rows])),
        }

    return with_context(action, call)
