"""Runs one step of one recovery: in its order, with its intent and its outcome recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict

from placement_recovery import commands
from placement_recovery.errors import (
    ApiUnavailable,
    ApiUnreachable,
    PlacementRecoveryError,
    RecordFailure,
    RecoveryUnderWay,
    StepFailed,
)
from placement_recovery.plan.method import TRANSPLANT
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import ABANDONED, BACK, FINISHED, OPEN, ROLLED_BACK
from placement_recovery.recovery import methods
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.overview import way_on
from placement_recovery.recovery.service import require_disabled
from placement_recovery.recovery.steps.close_recovery import abandon_recovery, close_recovery
from placement_recovery.recovery.steps.close_transplant import close_transplant
from placement_recovery.recovery.steps.copy_provider_settings import copy_provider_settings
from placement_recovery.recovery.steps.create_resource_provider import create_resource_provider
from placement_recovery.recovery.steps.delete_allocations import delete_allocations
from placement_recovery.recovery.steps.delete_resource_provider import delete_resource_provider
from placement_recovery.recovery.steps.delete_stale_root import delete_stale_root
from placement_recovery.recovery.steps.disable_compute_service import disable_compute_service
from placement_recovery.recovery.steps.lock_provider import lock_provider
from placement_recovery.recovery.steps.move_allocations import move_allocations
from placement_recovery.recovery.steps.replace_resource_provider import replace_resource_provider
from placement_recovery.recovery.steps.restart_nova_compute import restart_nova_compute
from placement_recovery.recovery.steps.restore_resource_provider import restore_resource_provider
from placement_recovery.recovery.steps.return_allocations import return_allocations
from placement_recovery.recovery.steps.return_provider_name import check_provider_name
from placement_recovery.recovery.steps.save_allocations import save_allocations
from placement_recovery.recovery.steps.set_allocations import set_allocations
from placement_recovery.recovery.steps.undo_transplant import move_back, prepare_rollback, return_provider_name
from placement_recovery.recovery.steps.verify_recovery import verify_recovery
from placement_recovery.recovery.steps.verify_transplant import verify_transplant
from placement_recovery.recovery.steps.wait_for_nova_compute import wait_for_nova_compute
from placement_recovery.recovery.steps.wait_for_periodic import wait_for_periodic
from placement_recovery.recovery.steps.wait_for_resource_provider import wait_for_resource_provider


@dataclass(frozen=True)
class StepResult:
    """What a step did, in a line; `state` is the recovery's: open, finished, ...; `attempt` the one at work on it."""

    summary: str
    recovery_id: str
    state: str
    attempt: str


STEPS: Dict[str, Callable[[Context, Journal], str]] = {
    methods.SAVE_ALLOCATIONS.name: save_allocations,
    methods.LOCK_PROVIDER.name: lock_provider,
    methods.DISABLE_COMPUTE_SERVICE.name: disable_compute_service,
    methods.DELETE_ALLOCATIONS.name: delete_allocations,
    methods.DELETE_RESOURCE_PROVIDER.name: delete_resource_provider,
    methods.WAIT_FOR_PERIODIC.name: wait_for_periodic,
    methods.RESTART_NOVA_COMPUTE.name: restart_nova_compute,
    methods.WAIT_FOR_RESOURCE_PROVIDER.name: wait_for_resource_provider,
    methods.CREATE_RESOURCE_PROVIDER.name: create_resource_provider,
    methods.SET_ALLOCATIONS.name: set_allocations,
    methods.VERIFY_RECOVERY.name: verify_recovery,
    methods.CLOSE_RECOVERY.name: close_recovery,
    methods.RESTORE_RESOURCE_PROVIDER.name: restore_resource_provider,
    methods.RETURN_ALLOCATIONS.name: return_allocations,
    methods.RETURN_PROVIDER_NAME.name: check_provider_name,
    methods.REPLACE_RESOURCE_PROVIDER.name: replace_resource_provider,
    methods.COPY_PROVIDER_SETTINGS.name: copy_provider_settings,
    methods.MOVE_ALLOCATIONS.name: move_allocations,
    methods.WAIT_FOR_NOVA_COMPUTE.name: wait_for_nova_compute,
}

# The same steps where a transplant does them in another way.
TRANSPLANT_STEPS: Dict[str, Callable[[Context, Journal], str]] = {
    methods.DELETE_RESOURCE_PROVIDER.name: delete_stale_root,
    methods.VERIFY_RECOVERY.name: verify_transplant,
    methods.CLOSE_RECOVERY.name: close_transplant,
    methods.RESTORE_RESOURCE_PROVIDER.name: prepare_rollback,
    methods.RETURN_ALLOCATIONS.name: move_back,
    methods.RETURN_PROVIDER_NAME.name: return_provider_name,
}


def run_step(context: Context, recovery_id: str, name: str, attempt: str = "") -> StepResult:
    """Do one step, or see that it is done. Raises what the step raises, with what stands and what to type.

    `attempt` is what the first step of this run gave, so that a run whose recovery was resumed elsewhere stops; by
    hand it is "".
    """
    journal = context.journal(recovery_id)
    journal.check_attempt(attempt)
    back = _is_back(journal, name)
    if not journal.is_open:
        return _closed(journal, back)
    _check_order(journal, name, back)
    journal.intend(name)
    try:
        if name in methods.LOOKS_EMPTY:
            require_disabled(context, journal)
        summary = _step(journal, name)(context, journal)
    except PlacementRecoveryError as error:
        raise _with_what_stands(error, name, end_failed_step(context, journal, name, error)) from error
    journal.done(name, summary)
    return step_result(journal, summary)


def _step(journal: Journal, name: str) -> Callable[[Context, Journal], str]:
    own = TRANSPLANT_STEPS if journal.saved.method == TRANSPLANT else {}
    return own.get(name) or STEPS[name]


def step_result(journal: Journal, summary: str) -> StepResult:
    """The result of what was just done for this recovery."""
    return StepResult(summary, journal.saved.id, journal.progress.state, journal.attempt)


def end_failed_step(context: Context, journal: Journal, name: str, error: PlacementRecoveryError) -> str:
    """Record the failure; where nothing was taken away, put all back and close the record. What stands then."""
    saved = f"All that was saved stands in recovery {journal.saved.id}; go on with '{way_on(journal.progress)}'"
    try:
        if isinstance(error, (ApiUnreachable, ApiUnavailable)):
            journal.may_come_late()
        journal.failed(name, error)
        if journal.progress.past_no_return or journal.progress.state != OPEN:
            return saved
        return abandon_recovery(context, journal)
    except RecoveryUnderWay:
        return "Another resume of this recovery goes on with it"
    except RecordFailure as worse:
        return f"Its record could not be written either ({worse}). {saved}"
    except PlacementRecoveryError as worse:
        return f"Nothing was taken away, but not all could be put back ({worse}). {saved}"


def _with_what_stands(error: PlacementRecoveryError, name: str, stands: str) -> PlacementRecoveryError:
    error.args = (f"{name}: {str(error).rstrip('.')}. {stands}", *error.args[1:])
    return error


def _is_back(journal: Journal, name: str) -> bool:
    """Whether a step belongs to the rollback; closing ends either direction."""
    if name == methods.CLOSE_RECOVERY.name:
        return journal.progress.direction == BACK
    return name in {step.name for step in methods.ROLLBACK}


def _closed(journal: Journal, back: bool) -> StepResult:
    """Running a finished recovery's steps again changes nothing; the other way, and an abandoned one, are wrong."""
    recovery_id, state = journal.saved.id, journal.progress.state
    if state == (ROLLED_BACK if back else FINISHED):
        return step_result(journal, f"recovery {recovery_id} is {state.replace('_', ' ')}, nothing is left to do")
    if state == FINISHED:
        raise StepFailed(f"recovery {recovery_id} is finished, and nova-compute's new provider in use: no way back")
    how = "before it took anything away" if state == ABANDONED else "and all is as it was"
    raise StepFailed(f"recovery {recovery_id} was {state.replace('_', ' ')} {how}; start a new one")


def _check_order(journal: Journal, name: str, back: bool) -> None:
    """What was not saved, locked and proven cannot be deleted: each step needs the ones before it."""
    recovery_id, method = journal.saved.id, journal.saved.method
    if journal.progress.direction == BACK and not back:
        raise StepFailed(
            f"recovery {recovery_id} is being rolled back; go on with '{commands.roll_back(recovery_id)}'"
        )
    missing = [one for one in methods.steps_before(method, name, back) if not journal.progress.is_done(one)]
    if missing:
        raise StepFailed(
            f"recovery {recovery_id} ({method}): {missing[0]} comes before {name} and is not done; "
            f"'{commands.resume(recovery_id)}' does all in order"
        )
