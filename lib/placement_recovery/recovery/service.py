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


def servers_left_reason(recovery_id: str) -> str:
    """The same once a discard has ended, while servers of the host run without allocations."""
    return f"placement_recovery {recovery_id}: servers run here without allocations"


def find_service(context: Context, journal: Journal) -> Optional[ComputeService]:
    """The service that was saved, as it is now; None where it was deleted."""
    uuid = journal.saved.service.uuid
    return next((one for one in context.nova.services() if one.uuid == uuid), None)


def is_disabled_by(service: ComputeService, recovery_id: str) -> bool:
    """Whether this recovery disabled the service, and nobody changed it since."""
    return service.status == "disabled" and service.disabled_reason == disabled_reason(recovery_id)


def require_disabled(context: Context, journal: Journal) -> None:
    """Raise StepFailed where somebody enabled the service while the host can be taken for empty."""
    if not journal.progress.past_no_return:
        return  # the steps that take something away look themselves
    service = find_service(context, journal)
    if service is not None and service.status == "enabled":
        raise StepFailed(
            f"somebody enabled the compute service of {journal.saved.host}, which looks empty, so that the scheduler "
            f"fills it: see what was placed there meanwhile. A resume disables it again"
        )


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


def keep_service_disabled(context: Context, journal: Journal) -> str:
    """What keeps the service disabled after a discard: its servers go on running, and the scheduler sees none of them.

    "" where nothing does. The service's reason says it.
    """
    saved = journal.saved
    service, new = find_service(context, journal), journal.progress.providers.get(saved.stale.uuid, "")
    if service is None or saved.service.status == "disabled" or not is_disabled_by(service, saved.id):
        return ""
    held = context.placement.consumers_of(new)
    left = [one.uuid for one in context.nova.servers_on(saved.host) if one.node == saved.node and one.uuid not in held]
    if not left:
        return ""
    context.nova.set_service(service.uuid, "disabled", servers_left_reason(saved.id))
    return (
        f"the compute service of {saved.host} stays disabled, for {len(left)} servers run there without allocations: "
        f"{', '.join(left[:5])}. Delete or move them, or give each its allocation back "
        f"('{commands.heal_allocations(left[0])}'), then '{commands.enable_service(saved.host)}'"
    )


def give_back_service_early(context: Context, journal: Journal) -> str:
    """The same by hand, while a recovery is open. Raises StepFailed where the host would look empty."""
    saved = journal.saved
    if journal.progress.past_no_return and not journal.progress.is_done("verify_recovery"):
        raise StepFailed(
            f"the compute service of {saved.host} stays disabled: its allocations are not back yet, and the scheduler "
            f"would fill an enabled host that looks empty. Go on with '{commands.resume(saved.id)}' first"
        )
    return give_back_service(context, journal)
