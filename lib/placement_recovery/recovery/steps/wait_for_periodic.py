"""wait_for_periodic: most often nova-compute accepts its new provider at its next periodic."""

from __future__ import annotations

from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.new_provider import await_acceptance


def wait_for_periodic(context: Context, journal: Journal) -> str:
    """Give nova-compute one periodic to accept it. That it does not is not a failure: a restart comes next."""
    seen = await_acceptance(context, journal, context.config.periodic_wait)
    if seen.accepted is None:
        return f"after {context.config.periodic_wait} s {seen.shortcoming(journal.saved)}"
    return f"nova-compute on {journal.saved.host} has accepted its provider {seen.accepted.uuid}"
