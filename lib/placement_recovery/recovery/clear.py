"""Take the consumers' parts on the stale tree away, then the stale provider. Proven again right before each."""

from __future__ import annotations

from typing import List

from placement_recovery.errors import (
    ApiConflict,
    ApiFailure,
    ApiUnavailable,
    ApiUnreachable,
    ConsumerChanged,
    ProviderInUse,
    StepFailed,
)
from placement_recovery.model import Consumer
from placement_recovery.placement import CONCURRENT_UPDATE, PROVIDER_IN_USE, batches
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import Saved
from placement_recovery.recovery import claim
from placement_recovery.recovery.changes import ATTEMPTS, decide_again
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.planning import prove_again
from placement_recovery.snapshot import Snapshot


def delete_allocations(context: Context, journal: Journal) -> str:
    """Empty the stale tree: each consumer keeps what it holds elsewhere. One transaction a batch.

    A consumer that changed since it was saved is decided upon and saved again; where that comes out otherwise than was
    planned, or a consumer was not saved, nothing is taken away: raises ConsumerChanged or ProviderInUse.
    """
    saved = journal.saved
    if context.reader.provider(saved.stale.uuid) is None:
        return f"provider {saved.stale.uuid} is gone, and nothing is allocated on it"
    claim.require(context, journal, saved.stale.uuid)
    cleared = _clear_unbeaten(context, journal)
    _check_empty(context, saved)
    already = len(saved.consumers) - cleared
    more = f" ({already} held nothing there any more)" if already else ""
    return f"{cleared} consumers hold nothing of provider {saved.stale.uuid} now{more}"


def delete_provider(context: Context, journal: Journal) -> str:
    """Delete the stale provider, which nobody holds. Raises ProviderInUse where somebody does again."""
    saved = journal.saved
    if context.reader.provider(saved.stale.uuid) is None:
        return f"provider {saved.stale.uuid} is gone already"
    claim.require(context, journal, saved.stale.uuid)
    prove_again(context, saved, holders=False)
    _check_empty(context, saved)
    begun = journal.progress.writing
    journal.writing(True)
    try:
        context.placement.delete_provider(saved.stale.uuid)
    except ApiConflict as error:
        journal.writing(begun)
        if error.code == PROVIDER_IN_USE:
            _check_empty(context, saved)
        raise ProviderInUse(f"provider {saved.stale.uuid} could not be deleted: {error}; then resume") from error
    return f"provider {saved.stale.uuid} ({saved.stale.name}) is deleted"


def _clear_unbeaten(context: Context, journal: Journal) -> int:
    """Clear at the generations of a fresh look; look again where somebody was faster. Returns how many there were."""
    saved = journal.saved
    for _ in range(ATTEMPTS):
        snapshot = prove_again(context, saved, holders=True)
        _check_disabled(snapshot, saved)
        decide_again(journal, snapshot)
        try:
            _write(context, journal, [one.holding(one.without(saved.stale_uuids)) for one in snapshot.consumers])
        except ApiConflict as error:
            if error.code != CONCURRENT_UPDATE:
                raise
            last = error
        else:
            return len(snapshot.consumers)
    raise ConsumerChanged(
        f"consumers of provider {saved.stale.uuid} change all the time, {ATTEMPTS} attempts met a conflict. "
        f"Last: {last}"
    ) from last


def _write(context: Context, journal: Journal, cleared: List[Consumer]) -> None:
    begun = journal.progress.writing
    for batch in batches(cleared, context.config.batch_size):
        journal.writing(True)
        try:
            context.placement.set_consumers(batch)
        except (ApiUnreachable, ApiUnavailable):
            raise  # nobody knows whether it was carried out
        except ApiFailure:
            # Placement refused the whole batch: if it was the first, nothing has been taken away.
            journal.writing(begun)
            raise
        begun = True


def _check_disabled(snapshot: Snapshot, saved: Saved) -> None:
    if snapshot.service is not None and snapshot.service.status != "disabled":
        raise StepFailed(
            f"the compute service of {saved.host} was enabled meanwhile: nothing is taken away while it is, for a host "
            f"that looks empty would be filled"
        )


def _check_empty(context: Context, saved: Saved) -> None:
    left = sorted(one for uuid in saved.stale_uuids for one in context.placement.consumers_of(uuid))
    if left:
        raise ProviderInUse(
            f"provider {saved.stale.uuid} is in use again, by consumer {', '.join(left[:5])}, which was not saved so. "
            f"See who made it ('openstack resource provider allocation show {left[0]}'); when it is gone, resume"
        )
