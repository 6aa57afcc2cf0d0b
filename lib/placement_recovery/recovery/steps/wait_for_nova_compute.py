"""wait_for_nova_compute: until nova-compute has accepted the new root at one of its periodics."""

from __future__ import annotations

from functools import partial

from placement_recovery.errors import ProviderNotReady
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.acceptance import (
    check_same_compute_node,
    is_accepted,
    may_miss_children,
    why_not_accepted,
)
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.replacement import look_at_replacement, require_new
from placement_recovery.recovery.waiting import look_until

POLL_SECONDS = 2.0


def wait_for_nova_compute(context: Context, journal: Journal) -> str:
    """Wait for nova-compute's signature. Raises ProviderNotReady, with the causes that can be told apart."""
    seconds = context.config.acceptance_wait
    if may_miss_children(journal.saved):
        seconds += context.config.refresh_wait
    end = context.clock.seconds() + seconds
    look = partial(look_until, context, end, POLL_SECONDS)
    new = require_new(look(lambda: look_at_replacement(context, journal, with_stale=False)), journal.saved)
    while not look(lambda: is_accepted(context, new.uuid)):
        if context.clock.seconds() >= end:
            check_same_compute_node(context, journal.saved, new.uuid)
            raise ProviderNotReady(
                f"after {seconds} s nova-compute on {journal.saved.host} has not accepted its provider {new.uuid} yet: "
                f"{why_not_accepted(context, journal, new)}. All allocations are on it, and the compute service stays "
                f"disabled; resume to wait again"
            )
        context.clock.sleep(POLL_SECONDS)
    return f"nova-compute on {journal.saved.host} has accepted its provider {new.uuid}"
