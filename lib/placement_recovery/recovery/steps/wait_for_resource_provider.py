"""wait_for_resource_provider: until nova-compute has accepted the new provider."""

from __future__ import annotations

from placement_recovery.errors import ProviderNotReady
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.acceptance import check_same_compute_node, why_not_accepted
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import await_acceptance


def wait_for_resource_provider(context: Context, journal: Journal) -> str:
    """Wait for nova-compute's acceptance. Raises ProviderNotReady, with the causes that can be told apart."""
    saved = journal.saved
    seen = await_acceptance(context, journal, context.config.provider_wait)
    if seen.accepted is not None:
        return f"nova-compute on {saved.host} has accepted its provider {seen.accepted.uuid}"
    if seen.provider is not None:
        check_same_compute_node(context, saved, seen.provider.uuid)
    why = f": {why_not_accepted(context, journal, seen.provider)}" if seen.provider is not None else ""
    raise ProviderNotReady(
        f"after {context.config.provider_wait} s {seen.shortcoming(saved)}{why}. The compute service stays disabled; "
        f"restart nova-compute on {saved.host} if it hangs, then resume"
    )
