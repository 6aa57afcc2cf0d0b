"""The compute service as it was: given back at the end of a recovery, where it is still ours to give back."""

from __future__ import annotations

from typing import Optional

from placement_recovery import commands
from placement_recovery.cloud.model import ComputeService
from placement_recovery.errors import StepFailed
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context


def disabled_reason(recovery_id: str) -> str:
    """What `disabled_reason` says while a recovery has the service disabled. libvirt's own begin with "AUTO: "."""
    return f"placement_recovery {recovery_id}: its resource provider is being recovered"


def find_service(context: Context, journal: Journal) -> Optional[ComputeService]:
    """The service that was saved, as it is now; None where it was deleted."""
    uuid = journal.saved.service.uuid
    return next((one for one in context.nova.services() if one.uuid == uuid), None)


def is_disabled_by(service: ComputeService, recovery_id: str) -> bool:
    """Whether this recovery disabled the service, and nobody changed it since."""
    return service.status == "disabled" and service.disabled_reason == disabled_reason(recovery_id)


def give_back_service(context: Context, journal: Journal) -> str:
    """The service as it was. Only what this recovery did is undone: another's reason is another's decision."""
    saved = journal.saved
    service = find_service(context, journal)
    if service is None:
        return f"the compute service of {saved.host} was deleted meanwhile, there is nothing to give back"
    if not is_disabled_by(service, saved.id):
        return f"the compute service of {saved.host} is {service.status}, and not by this recovery: left so"
    if saved.service.status == "disabled":
        context.nova.set_service(service.uuid, "disabled", saved.service.disabled_reason)
        return f"the compute service of {saved.host} is disabled as before"
    context.nova.set_service(service.uuid, "enabled")
    return f"the compute service of {saved.host} is enabled again"


def give_back_service_early(context: Context, journal: Journal) -> str:
    """The same by hand, while a recovery is open. Raises StepFailed where the host would look empty."""
    saved = journal.saved
    if journal.progress.past_no_return and not journal.progress.is_done("verify_recovery"):
        raise StepFailed(
            f"the compute service of {saved.host} stays disabled: its allocations are not back yet, and the scheduler "
            f"would fill an enabled host that looks empty. Go on with '{commands.resume(saved.id)}' first"
        )
    return give_back_service(context, journal)
