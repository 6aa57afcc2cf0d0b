"""What an audit reads of the whole cloud: a number of requests that does not grow with the hosts, but for paging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Optional, Tuple

from placement_recovery.cloud.model import ComputeService, Hypervisor, Provider
from placement_recovery.cloud.reader import hidden_hosts, unreachable_hosts
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.recovery.context import Context


@dataclass(frozen=True)
class CloudView:
    """All services, compute nodes and (bare) providers; `nova_providers` are the UUIDs of those with COMPUTE_NODE.

    While a cell is down Nova's lists are not whole: then there are no compute nodes here, and no providers.
    """

    services: Tuple[ComputeService, ...]
    unreachable: Tuple[str, ...]
    hypervisors: Tuple[Hypervisor, ...] = ()
    providers: Tuple[Provider, ...] = ()
    nova_providers: FrozenSet[str] = frozenset()

    @property
    def hidden(self) -> Tuple[str, ...]:
        """Hosts that run nova-compute, but of which nova lists no compute node."""
        return hidden_hosts(self.services, self.hypervisors)

    @property
    def unlisted(self) -> Tuple[str, ...]:
        """The same with those whose nova-compute is down: any provider may be that of one of their compute nodes."""
        shown = {one.host for one in self.hypervisors}
        return tuple(one.host for one in self.services if one.host not in shown)

    def by_node(self) -> Dict[str, List[Hypervisor]]:
        """Node name, without case, to the compute nodes that bear it."""
        found: Dict[str, List[Hypervisor]] = {}
        for one in self.hypervisors:
            found.setdefault(one.node.casefold(), []).append(one)
        return found

    def by_host(self) -> Dict[str, List[Hypervisor]]:
        """Host to its compute nodes."""
        found: Dict[str, List[Hypervisor]] = {}
        for one in self.hypervisors:
            found.setdefault(one.host, []).append(one)
        return found

    def snapshot(self, hypervisor: Hypervisor, named: Optional[Provider], own: Optional[Provider]) -> Snapshot:
        """What the lists say of one compute node, for the diagnosis."""
        return Snapshot(
            requested_name=hypervisor.node,
            hypervisors=self.hypervisors,
            unreachable_hosts=self.unreachable,
            service=next((one for one in self.services if one.host == hypervisor.host), None),
            matches=(hypervisor,),
            provider_by_name=named,
            provider_by_uuid=own,
            hidden_hosts=self.hidden,
        )


def view_cloud(context: Context) -> CloudView:
    """Read it. Raises ApiFailure."""
    services = context.nova.services()
    unreachable = unreachable_hosts(services)
    if unreachable:
        return CloudView(services, unreachable)
    return CloudView(
        services,
        unreachable,
        hypervisors=context.nova.hypervisors(),
        providers=context.placement.list_providers(),
        # One request in place of one a provider; nova-compute sets the trait since Ussuri (resource_tracker.py).
        nova_providers=frozenset(one.uuid for one in context.placement.list_providers(required="COMPUTE_NODE")),
    )
