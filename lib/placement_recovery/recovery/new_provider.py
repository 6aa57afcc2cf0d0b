"""nova-compute's new provider: is it there, and does it offer what the kept consumers need?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from placement_recovery.cloud.model import Provider
from placement_recovery.errors import ProviderNotReady, StepFailed
from placement_recovery.plan.consumers import KEEP
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.service import require_disabled
from placement_recovery.recovery.waiting import look_until

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class NewProvider:
    """One look at it: the provider, if it is there, and the resource classes that it still lacks."""

    provider: Optional[Provider] = None
    missing: Tuple[str, ...] = ()

    @property
    def ready(self) -> Optional[Provider]:
        """The provider once nothing is missing."""
        return None if self.missing else self.provider

    def shortcoming(self, saved: Saved) -> str:
        """What is not there yet, in words."""
        if self.provider is None:
            return f"nova-compute on {saved.host} has not made its new provider {saved.node} yet"
        return f"the new provider {self.provider.uuid} of {saved.node} has no {', '.join(self.missing)} yet"


def require_new_provider(context: Context, journal: Journal) -> Provider:
    """The new provider with all that it carries, ready for what is kept. Raises ProviderNotReady."""
    seen = find_new_provider(context, journal)
    if seen.ready is None:
        raise ProviderNotReady(f"{seen.shortcoming(journal.saved)}; resume to wait for it")
    return seen.ready


def await_new_provider(context: Context, journal: Journal, seconds: float) -> NewProvider:
    """Look until it is ready or the time is over; the last look."""
    end = context.clock.seconds() + seconds
    while True:
        seen = look_until(context, end, POLL_SECONDS, lambda: _look(context, journal))
        if seen.ready is not None or context.clock.seconds() >= end:
            return seen
        context.clock.sleep(POLL_SECONDS)


def _look(context: Context, journal: Journal) -> NewProvider:
    require_disabled(context, journal)
    return find_new_provider(context, journal)


def find_new_provider(context: Context, journal: Journal) -> NewProvider:
    """Look once, and record which provider takes the stale one's place. Raises StepFailed for somebody else's."""
    saved = journal.saved
    found = context.reader.find_provider_by_name(saved.node)
    if found is None:
        return NewProvider()
    if found.uuid == saved.stale.uuid:
        raise StepFailed(f"provider {found.uuid} still bears the name {saved.node}: the stale provider is not deleted")
    _check_is_compute_nodes(context, saved, found)
    journal.map_provider(saved.stale.uuid, found.uuid)
    provider = context.placement.describe(found)
    return NewProvider(provider, _missing(provider, saved))


def _check_is_compute_nodes(context: Context, saved: Saved, found: Provider) -> None:
    """A restart may give the compute node yet another UUID, so Nova is asked for whose provider this is."""
    if found.uuid == saved.new_provider:
        return
    hypervisor = context.nova.find_hypervisor(found.uuid)
    if hypervisor is None or (hypervisor.host, hypervisor.node) != (saved.host, saved.node):
        raise StepFailed(
            f"the name {saved.node} is taken by provider {found.uuid}, which is not that of {saved.host}'s compute "
            f"node: see who made it, and resume when the name is free"
        )


def _missing(provider: Provider, saved: Saved) -> Tuple[str, ...]:
    """Classes that kept consumers need and nova brings; custom ones set by hand are restored later."""
    parts = (part for one in saved.with_disposition(KEEP) for part in one.consumer.on(saved.stale_uuids).values())
    needed = {name for part in parts for name in part if not name.startswith("CUSTOM_")}
    if not provider.inventories:
        return tuple(sorted(needed)) or ("inventory",)
    return tuple(sorted(needed - set(provider.inventories)))
