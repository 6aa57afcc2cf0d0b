"""replace_resource_provider: set the stale root aside under another name, and make the one that nova-compute looks for.

nova-compute takes whatever root it finds under its compute node's UUID. Between the rename and the first inventories it
may look at a bare root, so these requests follow each other with nothing in between: no look, no record. One intent,
recorded before, covers them all; afterwards the roots' names and their children's parents show how far they came.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Iterable, Optional, Tuple

from placement_recovery.cloud.model import ComputeService, Provider
from placement_recovery.cloud.placement import DUPLICATE_NAME
from placement_recovery.errors import (
    ApiConflict,
    ApiFailure,
    ApiUnavailable,
    ApiUnreachable,
    StepFailed,
)
from placement_recovery.plan.stale_name import stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import check_lock, require_lock
from placement_recovery.recovery.proof import prove_again, prove_right_to_create
from placement_recovery.recovery.provider_settings import set_first_settings
from placement_recovery.recovery.recreation import settle_children
from placement_recovery.recovery.replacement import Replacement, is_nova_child, look_at_replacement


def replace_resource_provider(context: Context, journal: Journal) -> str:
    """Rename the stale root; create the new one under the compute node's UUID, with the stale one's children and its
    first traits and inventories.

    Raises StepFailed where the host's proof does not hold any more, and ApiDenied, with nothing changed, where this
    user may not create providers.
    """
    saved = journal.saved
    if not journal.progress.past_no_return and saved.stale.name == saved.node:
        return _replace(context, journal)
    seen = look_at_replacement(context, journal)
    old = next((one for one in seen.stale if one.name == saved.node), None)
    left = seen.directly_below(seen.stale_uuids)
    if seen.new is not None:
        named = _name_new(context, journal, seen, seen.new, old)
        _reparent(context, journal, left, seen.new.uuid)
        recreated = settle_children(context, journal, seen, seen.new)
        return named + "".join(
            (
                f"; {len(left)} more children of the stale one are below it" if left else "",
                f"; nova-compute recreated {', '.join(recreated)}" if recreated else "",
            )
        )
    if not seen.stale:
        raise StepFailed(
            f"provider {saved.stale.uuid} of {saved.host} is gone, and recovery {saved.id} did not delete it"
        )
    if old is not None and old.uuid == saved.stale.uuid:
        return _replace(context, journal)
    _check_disabled(seen.service, saved.host)
    if old is None:
        _create(context, journal, seen.hypervisor.uuid, seen.stale[0], left)
        return f"provider {seen.hypervisor.uuid} is created in place of {saved.stale.uuid}"
    require_lock(context, journal, saved.stale.uuid)
    old = replace(old, inventories=context.placement.inventories_of(old.uuid)[0])
    return _rename_and_create(context, journal, seen.hypervisor.uuid, old, left)


def _replace(context: Context, journal: Journal) -> str:
    """The saved root bears the node's name still: it is proven once more to be stale, and set aside."""
    snapshot = prove_again(context, journal.saved, holders=False)
    _check_disabled(snapshot.service, journal.saved.host)
    old, node = snapshot.provider_by_name, snapshot.hypervisor
    assert old is not None
    assert node is not None
    check_lock(journal, old)
    children = tuple(one for one in snapshot.tree if one.parent_uuid == old.uuid)
    return _rename_and_create(context, journal, node.uuid, old, children)


def _name_new(
    context: Context, journal: Journal, seen: Replacement, new: Provider, old: Optional[Provider]
) -> str:
    """The new root is there; a rollback that had to turn forward may have set it aside, even after the end's delete."""
    saved = journal.saved
    journal.map_provider(saved.stale.uuid, new.uuid)
    if saved.stale.uuid in seen.stale_uuids:  # it bears the lock, and is gone once all is done under it
        require_lock(context, journal, saved.stale.uuid)
    if new.name == saved.node:
        return f"provider {new.uuid} bears the name {saved.node} already"
    if old is not None:
        context.placement.rename_provider(old.uuid, _aside(journal, old))
    context.placement.rename_provider(new.uuid, saved.node)
    return f"provider {new.uuid} bears the name {saved.node} again"


def _rename_and_create(
    context: Context, journal: Journal, new: str, old: Provider, children: Tuple[Provider, ...]
) -> str:
    passed = journal.progress.past_no_return
    journal.map_provider(journal.saved.stale.uuid, new)
    journal.pass_no_return()
    try:
        prove_right_to_create(context, new, journal.saved.node)
    except (ApiUnreachable, ApiUnavailable):
        raise  # it may have been carried out
    except ApiFailure:
        journal.pass_no_return(passed)
        raise
    context.placement.rename_provider(old.uuid, _aside(journal, old))
    _create(context, journal, new, old, children)
    kept = f" with {len(children)} of its children" if children else ""
    return f"provider {old.uuid} is set aside as {_aside(journal, old)}, and {new} created in its place{kept}"


def _create(context: Context, journal: Journal, new_uuid: str, old: Provider, children: Iterable[Provider]) -> None:
    """The new root, its children, traits and inventories; whichever harms more while it is not there comes first.

    A periodic that misses children fails until nova-compute refreshes its cache, and so does one of libvirt's that
    misses the inventory of pinned CPUs.
    """
    new = Provider(new_uuid, journal.saved.node, generation=0)
    try:
        context.placement.create_provider(new.uuid, new.name)
    except ApiConflict as error:
        if error.code != DUPLICATE_NAME:
            raise
        # nova-compute made it in this moment; copy_provider_settings goes on from what is there
        return _reparent(context, journal, children, new.uuid)
    inventories = old.inventories or journal.saved.stale.inventories
    first = partial(set_first_settings, context, journal.saved.stale, new, inventories)
    if "PCPU" in inventories:
        first()
        return _reparent(context, journal, children, new.uuid)
    _reparent(context, journal, children, new.uuid)
    return first()


def _reparent(context: Context, journal: Journal, children: Iterable[Provider], new_uuid: str) -> None:
    """Those that nova-compute creates come first: it fails where it misses them."""
    for one in sorted(children, key=lambda child: (not is_nova_child(journal.saved, child), child.name)):
        context.placement.reparent_provider(one, new_uuid)


def _aside(journal: Journal, old: Provider) -> str:
    number = 0 if old.uuid == journal.saved.stale.uuid else len(journal.progress.providers) - 1
    return stale_name(journal.saved.node, journal.saved.id, number)


def _check_disabled(service: Optional[ComputeService], host: str) -> None:
    if service is None or service.forced_down:
        raise StepFailed(f"the compute service of {host} is {'gone' if service is None else 'forced down'} now")
    if service.status != "disabled":
        raise StepFailed(
            f"somebody enabled the compute service of {host}: its provider is not replaced while it is enabled, for "
            f"the scheduler would fill a host that looks empty"
        )
