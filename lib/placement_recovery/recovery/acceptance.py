"""Whether nova-compute has accepted the root that was made for it, and what can be said where it has not."""

from __future__ import annotations

from typing import List

from placement_recovery import commands
from placement_recovery.cloud.model import ACCEPTED, Provider
from placement_recovery.errors import ProviderNotReady
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import marked
from placement_recovery.recovery.replacement import compute_node_now, is_nova_child


def is_accepted(context: Context, provider_uuid: str) -> bool:
    """Whether nova-compute has put its signature on the provider, which it does at the periodic that accepts it."""
    return ACCEPTED in context.placement.traits_of(provider_uuid)[0]


def may_miss_children(saved: Saved) -> bool:
    """Whether nova-compute makes children, so that one of its looks may have come before they were below its root."""
    return any(is_nova_child(saved, one) for one in saved.children)


def why_not_accepted(context: Context, journal: Journal, provider: Provider) -> str:
    """The causes that can be told apart by what the provider carries."""
    found, _ = context.placement.inventories_of(provider.uuid)
    used = context.placement.usages(provider.uuid)
    causes: List[str] = []
    if dict(found) == marked(journal.saved):
        causes.append(
            "its inventories are still as this recovery wrote them: nova-compute has not looked at it yet (see that it "
            "runs, and update_resources_interval in its nova.conf)"
        )
    if may_miss_children(journal.saved):
        causes.append(
            f"nova-compute may have looked at its root before the children were below it: then it logs "
            f"ResourceProviderCreationFailed with a child's name at each periodic, until it refreshes its cache "
            f"(resource_provider_association_refresh in its nova.conf, 300 s by default) and takes them. If it never "
            f"does, '{commands.recreate_children(journal.saved.id)}' shows another way"
        )
    custom = sorted(name for name, amount in used.items() if amount and name.startswith("CUSTOM_"))
    other = sorted(
        name for name, amount in used.items() if amount and name in ("PCPU", "VGPU", "MEM_ENCRYPTION_CONTEXT")
    )
    if custom or other:
        causes.append(
            f"{', '.join([*custom, *other])} are in use: if the host does not report them any more, nova-compute logs "
            f"'inventory.inuse' and may fail at its next start, so do not restart it before nova.conf or provider.yaml "
            f"reports them again"
        )
    return "; ".join(causes) or "nova-compute's log on the host shows why"


def check_same_compute_node(context: Context, saved: Saved, awaited: str) -> None:
    """Raise ProviderNotReady where the compute node has yet another UUID, whose root is not made yet."""
    uuid = compute_node_now(context, saved).uuid
    if uuid != awaited:
        raise ProviderNotReady(
            f"the compute node of {saved.host} has UUID {uuid} now, not {awaited}: what was set is on the provider of "
            f"the latter, and the compute service stays disabled; resume to move it on"
        )
