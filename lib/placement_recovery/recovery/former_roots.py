"""Roots that preserve and discard made for a UUID that the compute node has lost since: stale ones, too.

Each is locked and set aside under another name, what is held there goes in the write that sets it on the root that
counts, and then it is deleted.
"""

from __future__ import annotations

from typing import Iterable, Tuple

from placement_recovery.cloud.model import Provider
from placement_recovery.errors import StepFailed
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import take_lock
from placement_recovery.recovery.proof import check_empty


def former_roots(context: Context, journal: Journal, current: str) -> Tuple[str, ...]:
    """The UUIDs of those that still stand beside the root that counts now."""
    known = journal.progress.providers
    made = {*known, *known.values()} - {journal.saved.stale.uuid, current}
    return tuple(uuid for uuid in sorted(made) if context.reader.provider(uuid) is not None)


def set_aside(context: Context, journal: Journal, former: Provider, current: str) -> None:
    """Record that another UUID is current, lock the former root, and give it another name.

    Raises StepFailed where Nova still knows its compute node.
    """
    saved = journal.saved
    owner = context.nova.find_hypervisor(former.uuid)
    if owner is not None:
        raise StepFailed(
            f"nova knows compute node {former.uuid} (node {owner.node} of host {owner.host}), so its provider is not "
            f"touched. Nothing was changed; try again when it is settled which compute node {saved.host} has"
        )
    journal.replace_again(former.uuid, current)
    take_lock(context, journal, former.uuid, over=True)
    number = int(former.uuid[:8], 16)  # its own, however many there are
    context.placement.rename_provider(former.uuid, stale_name(saved.node, saved.id, number))


def delete_former_roots(context: Context, former: Iterable[str]) -> None:
    """Delete them. Raises ProviderInUse where somebody else holds one."""
    for uuid in former:
        check_empty(context, (uuid,))
        context.placement.delete_provider(uuid)
