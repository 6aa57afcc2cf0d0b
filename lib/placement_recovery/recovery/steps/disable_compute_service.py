"""disable_compute_service: or the scheduler fills a host that looks empty."""

from __future__ import annotations

from placement_recovery.errors import StepFailed
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.service import disabled_reason, find_service, is_disabled_by


def disable_compute_service(context: Context, journal: Journal) -> str:
    """Disable the service, unless it is disabled already; then it stays as it is."""
    saved = journal.saved
    service = find_service(context, journal)
    if service is None:
        raise StepFailed(f"the compute service of {saved.host} is gone; start nova-compute there, then try again")
    if service.status == "disabled":
        own = is_disabled_by(service, saved.id)
        by = "by this recovery" if own else f"({service.disabled_reason or 'no reason given'})"
        return f"the compute service of {saved.host} is disabled {by} already"
    context.nova.set_service(service.uuid, "disabled", disabled_reason(saved.id))
    return f"the compute service of {saved.host} is disabled"
