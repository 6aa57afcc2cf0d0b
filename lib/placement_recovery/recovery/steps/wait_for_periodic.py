"""wait_for_periodic: most often nova-compute makes its new provider by itself."""

from __future__ import annotations

from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import await_new_provider


def wait_for_periodic(context: Context, journal: Journal) -> str:
    """Give nova-compute one periodic to do it by itself. That it does not is not a failure: a restart comes next."""
    seen = await_new_provider(context, journal, context.config.periodic_wait)
    if seen.ready is None:
        return f"after {context.config.periodic_wait} s {seen.shortcoming(journal.saved)}"
    return f"nova-compute made its new provider {seen.ready.uuid} by itself"
