"""delete_allocations: take the consumers' parts on the stale tree away, proven again right before."""

from __future__ import annotations

from typing import List

from placement_recovery.cloud.model import Consumer
from placement_recovery.cloud.placement import batches
from placement_recovery.cloud.snapshot import Snapshot
from placement_recovery.errors import (
    ApiConflict,
    ApiFailure,
    ApiUnavailable,
    ApiUnreachable,
    ConsumerChanged,
    StepFailed,
)
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.changes import decide_again
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.homes import require_homes, view_now
from placement_recovery.recovery.lock import require_lock
from placement_recovery.recovery.proof import check_empty, prove_again, prove_right_to_create
from placement_recovery.recovery.update import CONFLICT_TRIES, retry_on_conflict


def delete_allocations(context: Context, journal: Journal) -> str:
    """Empty the stale tree: each consumer keeps what it holds elsewhere. One transaction per batch.

    A consumer that changed since it was saved is decided upon and saved again; where that gives another decision than
    the planned one, or a consumer was not saved, nothing is taken away: raises ConsumerChanged or ProviderInUse.
    """
    saved = journal.saved
    if context.reader.provider(saved.stale.uuid) is None:
        return f"provider {saved.stale.uuid} is gone, and nothing is allocated on it"
    require_lock(context, journal, saved.stale.uuid)

    def exhausted(last: ApiConflict) -> ConsumerChanged:
        return ConsumerChanged(
            f"consumers of provider {saved.stale.uuid} change all the time, {CONFLICT_TRIES} tries met a conflict. "
            f"Last: {last}"
        )

    cleared = retry_on_conflict(context, lambda: _clear(context, journal), exhausted)
    check_empty(context, saved.stale_uuids)
    require_homes(context, journal.saved, view_now(context, journal.saved))
    already = len(saved.consumers) - cleared
    more = f" ({already} held nothing there any more)" if already else ""
    return f"{cleared} consumers hold nothing of provider {saved.stale.uuid} now{more}"


def _clear(context: Context, journal: Journal) -> int:
    """Clear at the generations of a fresh look. Returns how many consumers there were."""
    saved = journal.saved
    snapshot = prove_again(context, saved, holders=True)
    _check_disabled(snapshot, saved)
    _check_right_to_create(context, journal, snapshot)
    decide_again(journal, snapshot)
    _write(context, journal, [one.holding(one.without(saved.stale_uuids)) for one in snapshot.consumers])
    return len(snapshot.consumers)


def _check_right_to_create(context: Context, journal: Journal, snapshot: Snapshot) -> None:
    """What is taken away could not be set again without the new root."""
    node = snapshot.hypervisor
    if journal.progress.past_no_return or node is None:
        return
    if not prove_right_to_create(context, node.uuid, node.node):
        raise StepFailed(
            f"the name {node.node} was free for a moment, and provider {node.uuid} bears it now: see who renamed or "
            f"deleted provider {journal.saved.stale.uuid}. No allocation was taken away; plan again"
        )


def _write(context: Context, journal: Journal, cleared: List[Consumer]) -> None:
    passed = journal.progress.past_no_return
    for batch in batches(cleared, context.config.batch_size):
        journal.pass_no_return()
        try:
            context.placement.set_consumers(batch)
        except (ApiUnreachable, ApiUnavailable):
            raise  # it may have been carried out
        except ApiFailure:
            # Placement refused the whole batch. A proxy that sent it twice answers so too, though it was carried out.
            if not passed and _is_whole(context, journal.saved):
                journal.pass_no_return(False)
            raise
        passed = True


def _is_whole(context: Context, saved: Saved) -> bool:
    """Whether nobody's part was taken away, whatever others wrote; where that cannot be seen, it may have been."""
    try:
        held = {uuid: context.placement.consumers_of(uuid) for uuid in saved.stale_uuids}
    except ApiFailure:
        return False
    return all(
        one.uuid in held[provider] for one in saved.consumers for provider in one.consumer.on(saved.stale_uuids)
    )


def _check_disabled(snapshot: Snapshot, saved: Saved) -> None:
    if snapshot.service is not None and snapshot.service.status != "disabled":
        raise StepFailed(
            f"somebody enabled the compute service of {saved.host}: nothing is taken away while it is enabled, for the "
            f"scheduler would fill a host that looks empty"
        )
