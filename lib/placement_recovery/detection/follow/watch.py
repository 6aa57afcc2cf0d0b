"""What the sensor does at each poll: read, dispatch, remember; in that order."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Mapping, Optional, Protocol, Sequence, Tuple

from placement_recovery.detection.follow.cooldown import Cooldown
from placement_recovery.detection.follow.follower import Follower, without_cases
from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.positions import DatastoreService, Memory
from placement_recovery.detection.logs import Event, Fault, Trouble
from placement_recovery.errors import InvalidInput, StoreUnavailable
from placement_recovery.names import check_host_name

TRIGGER = "placement_recovery.provider_creation_failed"

MOST_TRIGGERS = 50   # a poll: a forged log floods nobody
SAVE_SECONDS = 30.0  # without a trigger or a rotation; what was read since is read again after a restart

# The longest that the trigger's schema takes.
_LONGEST = {"provider_name": 255, "node": 255, "compute_node_uuid": 36, "time": 64, "request_id": 255, "file": 4096}


class Service(DatastoreService, Protocol):
    """What of a StackStorm sensor's service is used."""

    def dispatch(self, trigger: str, payload: Any, trace_tag: str) -> Any:
        """Dispatch a trigger; raises where its queue does not take it."""


class Watch:
    """Follows logs and dispatches one trigger a host and cooldown.

    A trigger is dispatched before it is remembered. Whoever is killed between the two dispatches it once more, with
    the same trace tag; the other order would lose it, and one too many is harmless: the plan looks for itself, and the
    claim lets one recovery in. While StackStorm's queue is away nothing is read on, so nothing is missed.
    """

    def __init__(
        self,
        service: Service,
        globs: Sequence[LogGlob],
        logger: logging.Logger,
        from_start: bool,
        cooldown: float,
        seconds: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._service, self._globs, self._logger, self._from_start = service, globs, logger, from_start
        self._memory = Memory(service)
        self._seconds, self._now, self._cooldown_seconds = seconds, now, cooldown
        self._cooldown = Cooldown(cooldown, now=now)
        self._troubles = Cooldown(max(cooldown, SAVE_SECONDS), now=now)
        self._follower: Optional[Follower] = None
        self._outbox: Deque[Dict[str, str]] = deque()
        self._delivered: Mapping[str, Any] = {}
        self._saved_at = seconds()
        self._left = 0

    def poll(self) -> None:
        """One look at all logs. Raises nothing that a log, the queue or the datastore can cause."""
        self._left = MOST_TRIGGERS
        try:
            follower = self._follower or self._recall()
            if self._deliver():
                self._read(follower)
            if follower.has_turned or self._seconds() - self._saved_at >= SAVE_SECONDS:
                self._save()
        except StoreUnavailable as error:
            self._logger.warning("%s", error)

    def close(self) -> None:
        """Remember, and close all files."""
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

    def _recall(self) -> Follower:
        try:
            known = self._memory.read() or {}
            self._follower = self._make(known.get("logs"))
            self._cooldown = Cooldown(self._cooldown_seconds, known.get("told"), self._now)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            self._logger.error("where the logs were left off cannot be read (%r): they are begun anew", error)
            self._follower = self._make(None)
        self._delivered = self._follower.state()
        return self._follower

    def _make(self, state: Optional[Mapping[str, Any]]) -> Follower:
        return Follower(self._globs, self._logger, self._from_start, state, self._seconds)

    def _take(self, events: List[Event]) -> None:
        for event in events:
            if isinstance(event, Trouble):
                self._tell_trouble(event)
                continue
            try:
                check_host_name(event.host)
            except InvalidInput as error:
                self._logger.warning("%s: a fault of nobody: %s", event.file, error)
                continue
            self._outbox.append(payload_of(event))

    def _deliver(self) -> bool:
        """Dispatch what waits, and remember it; False where something still waits."""
        sent = False
        while self._outbox and (self._left > 0 or not self._cooldown.allows(self._outbox[0]["host"])):
            payload = self._outbox[0]
            if self._cooldown.allows(payload["host"]):
                if not self._dispatch(payload):
                    break
                sent = True
            self._outbox.popleft()
        if sent:
            self._save()
        return not self._outbox

    def _dispatch(self, payload: Dict[str, str]) -> bool:
        try:
            self._service.dispatch(trigger=TRIGGER, payload=payload, trace_tag=trace_tag(payload))
        except Exception as error:  # of StackStorm's messaging, which is not imported here
            self._logger.warning("the trigger for %s was not taken, and waits: %s", payload["host"], error)
            return False
        self._logger.info("%s: %s is dispatched (%s)", payload["host"], TRIGGER, payload["file"])
        self._cooldown.begin(payload["host"])
        self._left -= 1
        return True

    def _save(self) -> None:
        """Where nothing waits the logs are remembered as they stand, else as they stood before what waits."""
        assert self._follower is not None
        self._saved_at = self._seconds()
        if not self._outbox:
            self._delivered = self._follower.state()
        logs, told = self._delivered, self._cooldown.state()
        self._memory.write(
            {"logs": logs, "told": told}, smaller=lambda: {"logs": without_cases(logs), "told": told}
        )

    def _tell_trouble(self, trouble: Trouble) -> None:
        if self._troubles.allows(trouble.host):
            self._troubles.begin(trouble.host)
            self._logger.warning(
                "%s: nova-compute could not create its provider, and it is not the fault that is recovered: %s (%s)",
                trouble.host, trouble.cause, trouble.file,
            )


def payload_of(fault: Fault) -> Dict[str, str]:
    """The trigger's payload, each field as long as its schema allows."""
    given: List[Tuple[str, str]] = [(name, getattr(fault, name)[:longest]) for name, longest in _LONGEST.items()]
    return {"host": fault.host, "source": "log", **dict(given)}


def trace_tag(payload: Mapping[str, str]) -> str:
    """The same for the same lines of nova's, so that a trigger that went out twice is seen to be one."""
    told = "\n".join(payload[name] for name in ("host", "request_id", "compute_node_uuid", "time"))
    return f"placement_recovery-{payload['host']}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
