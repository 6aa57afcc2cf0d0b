"""The stale provider's successor in preserve and discard: is it there, and has nova-compute accepted it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Mapping, Optional

from placement_recovery.cloud.model import ACCEPTED, Inventory, Provider
from placement_recovery.errors import ProviderNotReady, StepFailed
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.service import require_disabled
from placement_recovery.recovery.waiting import look_until

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class NewProvider:
    """One look at it: the provider, if it is there, and whether nova-compute has accepted it."""

    provider: Optional[Provider] = None
    is_accepted: bool = False

    @property
    def accepted(self) -> Optional[Provider]:
        """The provider once nova-compute has accepted it."""
        return self.provider if self.is_accepted else None

    def shortcoming(self, saved: Saved) -> str:
        """What is not there yet, in words."""
        if self.provider is None:
            return f"the new provider {saved.node} of {saved.host} is not there"
        return f"nova-compute on {saved.host} has not accepted its provider {self.provider.uuid} yet"


def require_new_provider(context: Context, journal: Journal) -> Provider:
    """The new provider with all that it carries. Raises ProviderNotReady where it is not there."""
    seen = find_new_provider(context, journal)
    if seen.provider is None:
        raise ProviderNotReady(f"{seen.shortcoming(journal.saved)}; resume to create it")
    return seen.provider


def await_acceptance(context: Context, journal: Journal, seconds: float) -> NewProvider:
    """Look until nova-compute has accepted it or the time is over; the last look."""
    end = context.clock.seconds() + seconds
    while True:
        seen = look_until(context, end, POLL_SECONDS, lambda: _look(context, journal))
        if seen.is_accepted or context.clock.seconds() >= end:
            return seen
        context.clock.sleep(POLL_SECONDS)


def _look(context: Context, journal: Journal) -> NewProvider:
    require_disabled(context, journal)
    return find_new_provider(context, journal)


def find_new_provider(context: Context, journal: Journal) -> NewProvider:
    """Look once. Raises StepFailed where somebody else's provider bears the name."""
    saved = journal.saved
    found = context.reader.find_provider_by_name(saved.node)
    if found is None:
        return NewProvider()
    if found.uuid == saved.stale.uuid:
        raise StepFailed(f"provider {found.uuid} still bears the name {saved.node}: the stale provider is not deleted")
    _check_is_ours(context, journal, found)
    provider = context.placement.describe(found)
    return NewProvider(provider, _is_accepted(saved, provider))


def _check_is_ours(context: Context, journal: Journal, found: Provider) -> None:
    """One that this recovery made, or the compute node's, which may have made it itself."""
    saved, known = journal.saved, journal.progress.providers
    if found.uuid in (saved.new_provider, *known, *known.values()):
        return
    hypervisor = context.nova.find_hypervisor(found.uuid)
    if hypervisor is None or (hypervisor.host, hypervisor.node) != (saved.host, saved.node):
        raise StepFailed(
            f"the name {saved.node} is taken by provider {found.uuid}, which is not that of {saved.host}'s compute "
            f"node: see who made it, and resume when the name is free"
        )


def marked(saved: Saved) -> Dict[str, Inventory]:
    """The stale root's inventories as the new one gets them first.

    A nova-compute before Ussuri never writes COMPUTE_NODE, so there one inventory has a max_unit that no nova-compute
    reports: it puts that right at the periodic at which it accepts the provider.
    """
    inventories = dict(saved.stale.inventories)
    if ACCEPTED in saved.stale.traits or not inventories:
        return inventories
    name = _marked_class(inventories)
    return {**inventories, name: replace(inventories[name], max_unit=inventories[name].max_unit + 1)}


def _marked_class(inventories: Mapping[str, Inventory]) -> str:
    nova_own = (name for name in ("MEMORY_MB", "VCPU", "PCPU") if name in inventories)
    return next(nova_own, min(inventories))


def _is_accepted(saved: Saved, provider: Provider) -> bool:
    """By COMPUTE_NODE, nova-compute's signature, or where the stale root never bore it, by the mark that is gone."""
    if ACCEPTED in provider.traits:
        return True
    if ACCEPTED in saved.stale.traits or not provider.inventories:
        return False
    mark = marked(saved)
    name = _marked_class(mark) if mark else ""
    return name not in provider.inventories or provider.inventories[name].max_unit != mark[name].max_unit
