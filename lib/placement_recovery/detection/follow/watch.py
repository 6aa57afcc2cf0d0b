"""What the sensor does at each poll: read the logs, dispatch triggers, save the positions; in that order."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Any, Callable, Deque, List, Mapping, Optional, Protocol, Sequence

from placement_recovery.detection.follow.cooldown import Cooldown
from placement_recovery.detection.follow.follower import Follower, without_pending
from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.positions import DatastoreService, Positions
from placement_recovery.detection.follow.sensor_log import SensorLog
from placement_recovery.detection.logs import Event, OtherFailure
from placement_recovery.detection.payload import FROM_LOG, PROVIDER_CREATION_FAILED, ProviderCreationFailed
from placement_recovery.errors import InvalidInput, StoreUnavailable

MOST_TRIGGERS = 50   # per poll, so that a forged log cannot flood StackStorm
SAVE_SECONDS = 30.0  # between saves without a trigger or a rotation; a restart reads again what was read since


class SensorService(DatastoreService, Protocol):
    """The part of a StackStorm sensor's service that is used here."""

    def dispatch(self, trigger: str, payload: Any, trace_tag: str) -> Any:
        """Dispatch a trigger; raises if the message queue rejects it."""


class Watch:
    """Follows logs and dispatches at most one trigger per host and log_cooldown.

    A trigger is dispatched before the positions are saved. A sensor killed between the two dispatches it once more,
    with the same trace tag; the other order would lose it, and a surplus trigger is harmless: the plan asks the API
    itself, and the lock admits one recovery. While the message queue is unavailable, reading pauses and nothing is
    missed.
    """

    def __init__(
        self,
        service: SensorService,
        globs: Sequence[LogGlob],
        logger: logging.Logger,
        from_start: bool,
        cooldown: float,
        seconds: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._service, self._globs, self._logger, self._from_start = service, globs, SensorLog(logger), from_start
        self._positions = Positions(service)
        self._seconds, self._now, self._cooldown_seconds = seconds, now, cooldown
        self._cooldown = Cooldown(cooldown, now=now)
        self._other_failures = Cooldown(max(cooldown, SAVE_SECONDS), now=now)
        self._follower: Optional[Follower] = None
        self._outbox: Deque[ProviderCreationFailed] = deque()
        self._delivered: Mapping[str, Any] = {}
        self._saved_at = seconds()
        self._left = 0

    def poll(self) -> None:
        """Read all logs once. No state of a log, the message queue or the datastore makes it raise."""
        self._left = MOST_TRIGGERS
        try:
            follower = self._follower or self._resume()
            if self._deliver():
                self._read(follower)
            if follower.has_turned or self._seconds() - self._saved_at >= SAVE_SECONDS:
                self._save()
        except StoreUnavailable as error:
            self._logger.warning("%s", error)

    def close(self) -> None:
        """Save the positions and close all files."""
        if self._follower is None:
            return
        try:
            self._save()
        except StoreUnavailable as error:
            self._logger.warning("%s", error)
        self._follower.close()
        self._follower = None

    def _read(self, follower: Follower) -> None:
        for events in follower.poll():
            self._take(events)
            if not self._deliver():
                return

    def _resume(self) -> Follower:
        try:
            known = self._positions.read() or {}
            self._follower = self._make(known.get("logs"))
            self._cooldown = Cooldown(self._cooldown_seconds, known.get("dispatched"), self._now)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            self._logger.error("the saved log positions are invalid (%r): the logs are followed as new ones", error)
            self._follower = self._make(None)
        self._delivered = self._follower.state()
        return self._follower

    def _make(self, state: Optional[Mapping[str, Any]]) -> Follower:
        return Follower(self._globs, self._logger, self._from_start, state, self._seconds)

    def _take(self, events: List[Event]) -> None:
        for event in events:
            if isinstance(event, OtherFailure):
                self._log_other_failure(event)
                continue
            try:
                self._outbox.append(ProviderCreationFailed(source=FROM_LOG, **event.as_dict()))
            except InvalidInput as error:
                self._logger.warning("%s: a fault with an unusable host name: %s", event.file, error)

    def _deliver(self) -> bool:
        """Dispatch what is in the outbox, then save the positions; False if some of it could not be dispatched yet."""
        dispatched = False
        while self._outbox and (self._left > 0 or not self._cooldown.allows(self._outbox[0].host)):
            payload = self._outbox[0]
            if self._cooldown.allows(payload.host):
                if not self._dispatch(payload):
                    break
                dispatched = True
            self._outbox.popleft()
        if dispatched:
            self._save()
        return not self._outbox

    def _dispatch(self, payload: ProviderCreationFailed) -> bool:
        try:
            self._service.dispatch(
                trigger=PROVIDER_CREATION_FAILED, payload=payload.as_dict(), trace_tag=payload.trace_tag
            )
        except Exception as error:  # of StackStorm's messaging, which is not imported here
            self._logger.warning("the trigger for %s could not be dispatched, will retry: %s", payload.host, error)
            return False
        self._logger.info("%s: dispatched %s (%s)", payload.host, PROVIDER_CREATION_FAILED, payload.file)
        self._cooldown.begin(payload.host)
        self._left -= 1
        return True

    def _save(self) -> None:
        """Save the current positions, or those before the oldest undispatched fault."""
        assert self._follower is not None
        self._saved_at = self._seconds()
        if not self._outbox:
            self._delivered = self._follower.state()
        logs, dispatched = self._delivered, self._cooldown.state()
        self._positions.write(
            {"logs": logs, "dispatched": dispatched},
            smaller=lambda: {"logs": without_pending(logs), "dispatched": dispatched},
        )

    def _log_other_failure(self, failure: OtherFailure) -> None:
        if self._other_failures.allows(failure.host):
            self._other_failures.begin(failure.host)
            self._logger.warning(
                "%s: nova-compute could not create its provider for a reason that the pack does not recover: %s (%s)",
                failure.host, failure.cause, failure.file,
            )
