"""wait_for_resource_provider: until the new provider offers what the kept consumers need."""

from __future__ import annotations

from placement_recovery.errors import ProviderNotReady
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import await_new_provider


def wait_for_resource_provider(context: Context, journal: Journal) -> str:
    """Wait for the new provider with inventory of every class that is needed. Raises ProviderNotReady."""
    saved = journal.saved
    seen = await_new_provider(context, journal, context.config.provider_wait)
    if seen.ready is None:
        raise ProviderNotReady(
            f"after {context.config.provider_wait} s {seen.shortcoming(saved)}. Look into nova-compute's log on "
            f"{saved.host}, restart it if it hangs, then resume"
        )
    classes = ", ".join(sorted(seen.ready.inventories))
    return f"the new provider {seen.ready.uuid} of {saved.node} is there, with {classes}"
