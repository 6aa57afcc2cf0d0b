"""Look again, right before something is taken away: is the provider still proven to be stale, and is it empty?"""

from __future__ import annotations

from typing import Sequence

from placement_recovery import commands
from placement_recovery.cloud.placement import DUPLICATE_NAME
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.errors import ApiConflict, ProviderInUse, StepFailed
from placement_recovery.plan.diagnosis import STALE_PROVIDER, diagnose
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context


def prove_again(context: Context, saved: Saved, holders: bool) -> Snapshot:
    """A fresh snapshot (with the consumers, if `holders`) in which the same provider is still proven to be stale.

    Raises StepFailed where it is not, or where the host was fenced or died since.
    """
    snapshot = context.reader.snapshot(saved.requested_name, holders)
    diagnosis, provider = diagnose(snapshot), snapshot.provider_by_name
    if diagnosis.finding != STALE_PROVIDER or provider is None or provider.uuid != saved.stale.uuid:
        raise StepFailed(
            f"provider {saved.stale.uuid} of {saved.host} is no longer proven to be stale, so it is not touched: "
            f"{diagnosis.explanation}"
        )
    if snapshot.owners.unseen:
        raise StepFailed(f"{snapshot.owners.unseen}. Nothing is taken away; try again when that is mended")
    check_service(snapshot, saved)
    return snapshot


def prove_right_to_create(context: Context, uuid: str, name: str) -> bool:
    """Try to create the new root while the stale one has the name: a conflict proves the fault and the right to create.

    It also opens the connection. False where the root is made, for somebody took the name away in this moment. Raises
    ApiDenied where this user may not create providers.
    """
    try:
        context.placement.create_provider(uuid, name)
    except ApiConflict as error:
        if error.code != DUPLICATE_NAME:
            raise
        return True
    return False


def check_service(snapshot: Snapshot, saved: Saved) -> None:
    """Raise StepFailed for a host that is down or fenced."""
    service = snapshot.service
    if service is None or service.forced_down or service.state != "up":
        seen = "gone" if service is None else "forced down" if service.forced_down else service.state
        raise StepFailed(f"the compute service of {saved.host} is {seen} now; nothing is taken away while it is")


def check_empty(context: Context, providers: Sequence[str]) -> None:
    """Raise ProviderInUse where somebody holds one of a tree's providers; the root comes first."""
    left = sorted(one for uuid in providers for one in context.placement.consumers_of(uuid))
    if left:
        raise ProviderInUse(
            f"provider {providers[0]} is in use again, by consumer {', '.join(left[:5])}, whose allocation was "
            f"not saved. See who made it ('{commands.show_allocations(consumer=left[0])}'); when it is gone, try again"
        )
