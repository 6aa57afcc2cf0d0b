"""Every error of this library, as a tree.

PlacementRecoveryError
├── InvalidInput              what the caller gave cannot be used
├── ConfigurationError        the pack's configuration, clouds.yaml included, cannot be used
├── ApiFailure                Nova, Placement or Keystone did not do what was asked
│   ├── ApiUnreachable        no answer: refused, timed out, dropped
│   ├── ApiDenied             401 or 403
│   ├── ApiUnavailable        5xx, or an answer that is no JSON
│   ├── ApiNotFound           404
│   ├── ApiConflict           409; Placement's `code` tells which
│   ├── CellSilent            Nova leaves a part of the cloud out of what it shows
│   └── ApiRejected           any other answer outside of 2xx
├── DispatchFailed            StackStorm did not take a trigger
├── HostFailure               nova-compute's machine could not be reached or did not obey
├── RecordFailure             a recovery record could not be stored or trusted
│   ├── RecordNotFound
│   ├── RecordExists
│   ├── RecordInvalid         broken JSON, breach of the schema, checksum that differs
│   └── StoreUnavailable      disk full, datastore answers an error
├── Refused                   nothing was written, and nothing will be: the message says why
│   ├── PlanChanged           the digest is not that of a fresh plan
│   ├── NotNeeded             there is nothing to recover
│   └── RecoveryUnderWay      another recovery holds the host
└── StepFailed                a step met a state in which it must not go on
    ├── ConsumerChanged       a consumer is not what was saved
    ├── ProviderInUse         somebody holds the provider again
    ├── ProviderNotReady      the new provider, or its inventory, did not appear in time
    ├── CapacityExceeded      what shall be set does not fit
    └── VerificationFailed    the end is not what was planned

Each message names the fact, the host or UUID, and what to do next.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional


class PlacementRecoveryError(Exception):
    """Root of the tree: what an operator may see and act on."""


class InvalidInput(PlacementRecoveryError):
    """A parameter cannot be used as it is."""


class ConfigurationError(PlacementRecoveryError):
    """The pack's configuration, or clouds.yaml, cannot be used as it is."""


class ApiFailure(PlacementRecoveryError):
    """An API did not do what was asked. `status` is HTTP's, `code` Placement's stable error code."""

    def __init__(self, message: str, status: Optional[int] = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ApiUnreachable(ApiFailure):
    """No answer came: whether a write was carried out is not known."""


class ApiDenied(ApiFailure):
    """The credentials were not accepted, or do not suffice."""


class ApiUnavailable(ApiFailure):
    """The service, or a proxy before it, answered 5xx or something that is no JSON."""


class ApiNotFound(ApiFailure):
    """404."""


class ApiConflict(ApiFailure):
    """409."""


class CellSilent(ApiFailure):
    """A cell does not answer, or not in all: what Nova does not show is not absent then."""


class ApiRejected(ApiFailure):
    """An answer outside of 2xx that has no class of its own here."""


class DispatchFailed(PlacementRecoveryError):
    """StackStorm's API did not take a trigger, or its answer was lost. `result` is what an action did all the same."""

    def __init__(self, message: str, result: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.result = dict(result or {})


class HostFailure(PlacementRecoveryError):
    """nova-compute's machine could not be reached, or the command there failed."""


class RecordFailure(PlacementRecoveryError):
    """A recovery record could not be stored, found or trusted."""


class RecordNotFound(RecordFailure):
    """No record has this id."""


class RecordExists(RecordFailure):
    """A record has this id already; what was saved is never overwritten."""


class RecordInvalid(RecordFailure):
    """A record breaks its schema, or is not what was written."""


class StoreUnavailable(RecordFailure):
    """The store did not take or give a record."""


class Refused(PlacementRecoveryError):
    """The plan forbids it. Nothing was written."""


class PlanChanged(Refused):
    """The digest that was approved is not that of the plan as it is now."""


class NotNeeded(Refused):
    """The host is healthy."""


class RecoveryUnderWay(Refused):
    """Another recovery holds this host."""


class StepFailed(PlacementRecoveryError):
    """A step met a state in which it must not go on."""


class ConsumerChanged(StepFailed):
    """A consumer is no longer what was saved."""


class ProviderInUse(StepFailed):
    """Somebody holds the stale provider again."""


class ProviderNotReady(StepFailed):
    """The new provider, or inventory that is needed on it, is not there in time."""


class CapacityExceeded(StepFailed):
    """What shall be set does not fit the new provider."""


class VerificationFailed(StepFailed):
    """The state after the recovery is not the planned one."""
