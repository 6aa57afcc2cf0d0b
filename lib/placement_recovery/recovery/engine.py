"""Runs one step of one recovery: in its order, with its intent and its outcome recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict

from placement_recovery.errors import PlacementRecoveryError, RecordFailure, RecoveryUnderWay, StepFailed
from placement_recovery.record.journal import Journal
from placement_recovery.record.record import ABANDONED, BACK, FINISHED, OPEN, ROLLED_BACK
from placement_recovery.recovery import claim
from placement_recovery.recovery.clear import delete_allocations, delete_provider
from placement_recovery.recovery.close import abandon, close
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.methods import (
    CLAIM,
    CLEAR,
    CLOSE,
    DELETE,
    DISABLE,
    PERIODIC,
    RESTART,
    RESTORE_PROVIDER,
    RETURN,
    ROLLBACK,
    SAVE,
    SET,
    SETTINGS,
    VERIFY,
    WAIT,
    steps_before,
)
from placement_recovery.recovery.restore import set_allocations
from placement_recovery.recovery.rollback import restore_provider, return_allocations
from placement_recovery.recovery.service import disable
from placement_recovery.recovery.settings import restore_settings
from placement_recovery.recovery.verify import verify
from placement_recovery.recovery.wait import restart, wait_for_periodic, wait_for_provider

RESUME = "st2 run placement_recovery.resume_recovery recovery_id="
ROLL_BACK = "st2 run placement_recovery.rollback_recovery recovery_id="


@dataclass(frozen=True)
class Result:
    """What a step did, in a line; `state` is the recovery's: open, finished, ...; `run` the one that works on it."""

    summary: str
    recovery_id: str
    state: str
    run: str


def _already_saved(context: Context, journal: Journal) -> str:
    journal.take_over()
    return f"recovery {journal.saved.id} has its {len(journal.saved.consumers)} consumers saved already"


def _claim(context: Context, journal: Journal) -> str:
    saved, new = journal.saved, journal.progress.providers.get(journal.saved.stale.uuid)
    if context.reader.provider(saved.stale.uuid) is not None:
        return claim.take(context, journal, saved.stale.uuid, over=True)
    if not journal.progress.writing:
        # Two were started at once: the other one has taken it away, and what happens now is its business alone.
        raise RecoveryUnderWay(
            f"provider {saved.stale.uuid} of {saved.host} is gone, and not by recovery {saved.id}, which has "
            f"not begun: another recovery, or a person, was faster"
        )
    if new is not None and context.reader.provider(new) is not None:
        return claim.take(context, journal, new, over=True)
    return f"provider {saved.stale.uuid} is gone, and the new one is not there yet: nothing to claim"


STEPS: Dict[str, Callable[[Context, Journal], str]] = {
    SAVE.name: _already_saved,
    CLAIM.name: _claim,
    DISABLE.name: disable,
    CLEAR.name: delete_allocations,
    DELETE.name: delete_provider,
    PERIODIC.name: wait_for_periodic,
    RESTART.name: restart,
    WAIT.name: wait_for_provider,
    SETTINGS.name: restore_settings,
    SET.name: set_allocations,
    VERIFY.name: verify,
    CLOSE.name: close,
    RESTORE_PROVIDER.name: restore_provider,
    RETURN.name: return_allocations,
}


def _is_back(journal: Journal, name: str) -> bool:
    """Whether a step belongs to the rollback; closing ends whichever way was gone."""
    if name == CLOSE.name:
        return journal.progress.direction == BACK
    return name in {step.name for step in ROLLBACK}


def run_step(context: Context, recovery_id: str, name: str, run: str = "") -> Result:
    """Do one step, or see that it is done. Raises what the step raises, with what stands and what to type.

    `run` is what the run's first step gave, so that one whose recovery was resumed elsewhere stops; by hand it is "".
    """
    journal = context.journal(recovery_id)
    journal.check_run(run)
    back = _is_back(journal, name)
    if not journal.is_open:
        return _closed(journal, back)
    _check_order(journal, name, back)
    journal.intend(name)
    try:
        summary = STEPS[name](context, journal)
    except PlacementRecoveryError as error:
        raise _ended(context, journal, name, error) from error
    journal.done(name, summary)
    return Result(summary, recovery_id, journal.progress.state, journal.run)


def _closed(journal: Journal, back: bool) -> Result:
    """Running a finished recovery's steps again changes nothing; the other way, and an abandoned one, are wrong."""
    recovery_id, state = journal.saved.id, journal.progress.state
    if state == (ROLLED_BACK if back else FINISHED):
        summary = f"recovery {recovery_id} is {state.replace('_', ' ')}, nothing is left to do"
        return Result(summary, recovery_id, state, journal.run)
    if state == FINISHED:
        raise StepFailed(f"recovery {recovery_id} is finished, and nova-compute's new provider in use: no way back")
    told = "before it took anything away" if state == ABANDONED else "and all is as it was"
    raise StepFailed(f"recovery {recovery_id} was {state.replace('_', ' ')} {told}; start a new one")


def _check_order(journal: Journal, name: str, back: bool) -> None:
    """What was not saved, claimed and proven cannot be deleted: each step needs the ones before it."""
    method = journal.saved.method
    if journal.progress.direction == BACK and not back:
        raise StepFailed(
            f"recovery {journal.saved.id} is being rolled back; go on with '{ROLL_BACK}{journal.saved.id}'"
        )
    missing = [one for one in steps_before(method, name, back) if not journal.progress.is_done(one)]
    if missing:
        raise StepFailed(
            f"recovery {journal.saved.id} ({method}): {missing[0]} comes before {name} and is not done; "
            f"'{RESUME}{journal.saved.id}' does all in order"
        )


def _ended(context: Context, journal: Journal, name: str, error: PlacementRecoveryError) -> PlacementRecoveryError:
    """Record the failure, put back what can be, and say in the same error what stands and what to type."""
    told = _told(context, journal, name, error)
    error.args = (f"{name}: {str(error).rstrip('.')}. {told}", *error.args[1:])
    return error


def _told(context: Context, journal: Journal, name: str, error: PlacementRecoveryError) -> str:
    recovery_id = journal.saved.id
    way = ROLL_BACK if journal.progress.direction == BACK else RESUME
    resume = f"All that was saved stands in recovery {recovery_id}; go on with '{way}{recovery_id}'"
    try:
        journal.failed(name, error)
        if journal.progress.writing or journal.progress.state != OPEN:
            return resume
        return abandon(context, journal)
    except RecoveryUnderWay:
        return "Another resume of this recovery goes on with it"
    except RecordFailure as worse:
        return f"Its record could not be written either ({worse}). {resume}"
    except PlacementRecoveryError as worse:
        return f"Nothing was taken away, but not all could be put back ({worse}). {resume}"
