"""Where a transplant stands: which roots there are, under which names, and whether that is what the record says.

From the rename of the stale root on its proof is another one than a plan's: the record's stale root bears its stale
name and this recovery's lock, Nova knows no compute node of its UUID, and the node's name is free or borne by the
provider of the compute node's own UUID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, Optional, Tuple

from placement_recovery.cloud.model import ComputeService, Hypervisor, Provider
from placement_recovery.errors import StepFailed
from placement_recovery.plan.stale_name import recovery_of_stale_name
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context


@dataclass(frozen=True)
class Replacement:
    """One look. `stale` are the roots that are set aside or are to be, as far as they stand; all bare.

    Usually that is one. Where the compute node's UUID changed again, the root that was made for the UUID before is one
    of them. `new` is the root under the compute node's UUID, `named` the one that bears the node's name. `children` are
    all providers below these roots.
    """

    hypervisor: Hypervisor
    hypervisors: Tuple[Hypervisor, ...]
    service: Optional[ComputeService]
    stale: Tuple[Provider, ...]
    new: Optional[Provider]
    named: Optional[Provider]
    children: Tuple[Provider, ...] = ()

    @property
    def is_renamed(self) -> bool:
        """Whether the node's name is free, or borne by the new root."""
        return self.named is None or self.named.uuid == self.hypervisor.uuid

    @property
    def stale_uuids(self) -> Tuple[str, ...]:
        """The UUIDs of the stale roots that stand."""
        return tuple(one.uuid for one in self.stale)

    def directly_below(self, roots: Iterable[str]) -> Tuple[Provider, ...]:
        """The children whose parent is one of these roots."""
        chosen = set(roots)
        return tuple(one for one in self.children if one.parent_uuid in chosen)


def stale_roots(journal: Journal) -> Tuple[str, ...]:
    """The UUIDs of all roots that this recovery replaces: the saved one, and any made for a UUID that changed again."""
    first = journal.saved.stale.uuid
    return (first, *(one for one in journal.progress.providers if one != first))


def look_at_replacement(context: Context, journal: Journal, with_stale: bool = True) -> Replacement:
    """Look, and hold what is seen against the record; without `with_stale`, at the new root alone.

    Raises StepFailed where that is not what this recovery made, CellSilent where Nova cannot show all of it.
    """
    saved = journal.saved
    hypervisor, hypervisors, services = _look_at_nova(context, saved)
    if hypervisor.uuid in stale_roots(journal):
        raise StepFailed(
            f"the compute node of {saved.host} has UUID {hypervisor.uuid} again, which is that of a provider that "
            f"recovery {saved.id} sets aside: roll it back, then plan anew"
        )
    journal_new = journal.progress.providers.get(saved.stale.uuid, hypervisor.uuid)
    if journal_new != hypervisor.uuid:
        journal.replace_again(journal_new, hypervisor.uuid)
    roots = stale_roots(journal) if with_stale else ()
    trees = {uuid: context.reader.bare_tree(uuid) for uuid in (*roots, hypervisor.uuid)}
    found = {one.uuid: one for tree in trees.values() for one in tree if one.uuid in trees}
    stale, new = tuple(found[uuid] for uuid in roots if uuid in found), found.get(hypervisor.uuid)
    bearers = (one for one in (new, *stale) if one is not None and one.name == saved.node)
    named = next(bearers, None) or context.reader.find_provider_by_name(saved.node)
    service = next((one for one in services if one.host == saved.host), None)
    children = tuple(one for tree in trees.values() for one in tree if one.uuid not in trees)
    seen = Replacement(hypervisor, hypervisors, service, stale, new, named, children)
    _check(context, journal, seen)
    return seen


def compute_node_now(context: Context, saved: Saved) -> Hypervisor:
    """The one compute node of the saved node's name. Raises StepFailed where there is not exactly one."""
    return _look_at_nova(context, saved)[0]


def _look_at_nova(
    context: Context, saved: Saved
) -> Tuple[Hypervisor, Tuple[Hypervisor, ...], Tuple[ComputeService, ...]]:
    context.reader.check_cells(saved.host)
    hypervisors = context.nova.hypervisors_like(saved.node)
    services = context.reader.check_cells(saved.host)  # one that went down in between was left out of what was read
    return _compute_node(hypervisors, saved), hypervisors, services


def is_nova_child(saved: Saved, child: Provider) -> bool:
    """Whether nova-compute creates a child of this name; others name theirs otherwise, all but Cyborg."""
    return child.name.startswith(f"{saved.node}_")


def parent_below(saved: Saved, child: Provider, root: str) -> str:
    """The parent that a saved child is to have below this root."""
    parent = child.parent_uuid or root
    return root if parent == saved.stale.uuid else parent


def children_outside(context: Context, saved: Saved, seen: Replacement) -> Tuple[Provider, ...]:
    """Saved children that stand, bare, but below none of the roots."""
    below = {one.uuid for one in seen.children}
    found = (context.reader.provider(one.uuid) for one in saved.children if one.uuid not in below)
    return tuple(one for one in found if one is not None)


def children_astray(context: Context, saved: Saved, seen: Replacement, root: str) -> List[str]:
    """What is wrong with the saved children's parents, below this root.

    nova-compute deletes a child of its own that nobody holds and that it does not report any more.
    """
    standing = {one.uuid: one.parent_uuid for one in (*seen.children, *children_outside(context, saved, seen))}
    return [
        f"child provider {one.label} is below {standing[one.uuid] or 'no provider'}, not below "
        f"{parent_below(saved, one, root)}"
        for one in saved.children
        if one.uuid in standing and standing[one.uuid] != parent_below(saved, one, root)
    ]


def _compute_node(hypervisors: Tuple[Hypervisor, ...], saved: Saved) -> Hypervisor:
    """The one compute node of the node's name. A restart may have given it yet another UUID."""
    found = [one for one in hypervisors if one.node.casefold() == saved.node.casefold()]
    if len(found) != 1 or found[0].host != saved.host:
        hosts = ", ".join(f"{one.host} ({one.uuid})" for one in found) or "none"
        raise StepFailed(
            f"not exactly one compute node of host {saved.host} bears the name {saved.node}: nova lists {hosts}. "
            f"Nothing was changed; try again when that is settled"
        )
    return found[0]


def require_new(seen: Replacement, saved: Saved) -> Provider:
    """The new root. Raises StepFailed where it is not there."""
    if seen.new is None:
        raise StepFailed(f"provider {seen.hypervisor.uuid} of {saved.host} does not exist; resume to create it")
    return seen.new


def _may_be_named(journal: Journal, name: str) -> bool:
    """A rollback sets the new root aside before it deletes it; one that had to turn forward again leaves it so."""
    return name == journal.saved.node or recovery_of_stale_name(name) == journal.saved.id


def _check(context: Context, journal: Journal, seen: Replacement) -> None:
    saved = journal.saved
    for one in seen.stale:
        if one.name not in (saved.node, saved.stale.name) and recovery_of_stale_name(one.name) != saved.id:
            raise StepFailed(
                f"provider {one.uuid} bears the name {one.name}, which recovery {saved.id} did not give it: see who "
                f"renamed it. Nothing was changed"
            )
        owner = context.nova.find_hypervisor(one.uuid)
        if owner is not None:
            raise StepFailed(
                f"nova knows compute node {one.uuid} now (node {owner.node} of host {owner.host}), so its provider is "
                f"not stale any more and is not touched"
            )
    if seen.new is not None and (not _may_be_named(journal, seen.new.name) or seen.new.parent_uuid is not None):
        raise StepFailed(
            f"the provider {seen.new.uuid} of {saved.host}'s compute node bears the name {seen.new.name}"
            + (f" below {seen.new.parent_uuid}" if seen.new.parent_uuid else "")
            + f", not {saved.node} as a root: see who made it so. Nothing was changed"
        )
    if seen.named is not None and seen.named.uuid not in (seen.hypervisor.uuid, *stale_roots(journal)):
        raise StepFailed(
            f"the name {saved.node} is borne by provider {seen.named.uuid}, which is neither the stale one nor that of "
            f"{saved.host}'s compute node: see who made it. Nothing was changed"
        )
