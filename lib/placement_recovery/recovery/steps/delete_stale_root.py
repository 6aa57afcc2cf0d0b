"""delete_resource_provider of a transplant: the stale root goes last, once nova-compute has accepted the new one."""

from __future__ import annotations

from placement_recovery.cloud.model import Provider
from placement_recovery.cloud.placement import PROVIDER_IN_USE
from placement_recovery.errors import ApiConflict, ProviderInUse, StepFailed
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.acceptance import is_accepted
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.lock import require_lock
from placement_recovery.recovery.replacement import look_at_replacement, require_new


def delete_stale_root(context: Context, journal: Journal) -> str:
    """Delete what was set aside. Raises StepFailed before nova-compute has accepted, ProviderInUse while it is held."""
    saved = journal.saved
    seen = look_at_replacement(context, journal)
    new = require_new(seen, saved)
    if not seen.stale:
        return f"provider {saved.stale.uuid} is gone already"
    if not is_accepted(context, new.uuid):
        raise StepFailed(
            f"nova-compute on {saved.host} has not accepted provider {new.uuid}: the stale root stays until it has, "
            f"for until then all can be taken back"
        )
    if saved.stale.uuid in seen.stale_uuids:
        require_lock(context, journal, saved.stale.uuid)
    for root in seen.stale:
        _delete(context, journal, root)
    return f"provider {', '.join(seen.stale_uuids)}, set aside before, is deleted"


def _delete(context: Context, journal: Journal, root: Provider) -> None:
    saved = journal.saved
    if root.name == saved.node:
        raise StepFailed(f"provider {root.uuid} still bears the name {saved.node}; resume to set it aside first")
    try:
        context.placement.delete_provider(root.uuid)  # which Placement refuses while anybody holds it
    except ApiConflict as error:
        if error.code != PROVIDER_IN_USE:
            raise ProviderInUse(f"provider {root.uuid} could not be deleted: {error}; then resume") from error
        holders = ", ".join(sorted(context.placement.parts_on(root.uuid))[:5])
        raise ProviderInUse(
            f"the stale root {root.uuid} is held again, by consumer {holders}; resume to move that too"
        ) from error
