"""The compute service's switch: off while the host looks empty, and back as it was, if it is still ours to give."""

from __future__ import annotations

from typing import Optional

from placement_recovery.errors import StepFailed
from placement_recovery.model import ComputeService
from placement_recovery.record.journal import Journal
from placement_recovery.recovery.context import Context


def reason_of(recovery_id: str) -> str:
    """What `disabled_reason` says while a recovery has the service off. libvirt's own begin with "AUTO: "."""
    return f"placement_recovery {recovery_id}: its resource provider is being recovered"


def disable(context: Context, journal: Journal) -> str:
    """Disable the service, unless it is disabled already; then it stays as it is."""
    saved = journal.saved
    service = _current(context, journal)
    if service is None:
        raise StepFailed(f"the compute service of {saved.host} is gone; start nova-compute there, then resume")
    if service.status == "disabled":
        whose = "by this recovery" if _is_ours(service, saved.id) else f"({service.disabled_reason or 'no reason'})"
        return f"the compute service of {saved.host} is disabled {whose} already"
    context.nova.set_service(service.uuid, "disabled", reason_of(saved.id))
    return f"the compute service of {saved.host} is disabled"


def give_back(context: Context, journal: Journal) -> str:
    """The service as it was. Only what this recovery did is undone: another's reason is another's decision."""
    saved = journal.saved
    service = _current(context, journal)
    if service is None:
        return f"the compute service of {saved.host} was deleted meanwhile, there is nothing to give back"
    if not _is_ours(service, saved.id):
        return f"the compute service of {saved.host} is {service.status}, and not by this recovery: left so"
    if saved.service.status == "disabled":
        context.nova.set_service(service.uuid, "disabled", saved.service.disabled_reason)
        return f"the compute service of {saved.host} is disabled as before"
    context.nova.set_service(service.uuid, "enabled")
    return f"the compute service of {saved.host} is enabled again"


def give_back_early(context: Context, journal: Journal) -> str:
    """`give_back` by hand, while a recovery is open. Raises StepFailed where the host would look empty."""
    if journal.progress.writing and not journal.progress.is_done("verify_recovery"):
        raise StepFailed(
            f"the compute service of {journal.saved.host} stays disabled: its allocations are not back yet, and an "
            f"enabled host that looks empty would be filled. Resume recovery {journal.saved.id} first"
        )
    return give_back(context, journal)


def _current(context: Context, journal: Journal) -> Optional[ComputeService]:
    uuid = journal.saved.service.uuid
    return next((one for one in context.nova.services() if one.uuid == uuid), None)


def _is_ours(service: ComputeService, recovery_id: str) -> bool:
    return service.status == "disabled" and service.disabled_reason == reason_of(recovery_id)
