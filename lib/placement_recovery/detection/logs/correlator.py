"""Joins a cause with the failed update that follows it, and decides when an event is reported."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from placement_recovery.detection.logs.causes import Cause, FailedUpdate, read_cause, read_failed_update
from placement_recovery.detection.logs.entries import Entry
from placement_recovery.detection.logs.events import UNKNOWN, Event, Fault, OtherFailure

MOST_PENDING = 256
WINDOW = 1024 * 1024  # bytes of log in which the failed update must follow its cause; nova writes it at once

# Host, process, request id and, for a fault, the name: one request may create several nodes' providers.
_Key = Tuple[str, str, str, str]


@dataclass(frozen=True)
class _Pending:
    """A cause that waits for its failed update, or (`reported`) whose failed update must not be reported again."""

    kind: str
    cause: str
    host: str
    process: str
    provider_name: str
    compute_node_uuid: str
    time: str
    request_id: str
    offset: int
    reported: bool = False

    @property
    def key(self) -> _Key:
        return (self.host, self.process, self.request_id, self.provider_name)

    @property
    def is_creation(self) -> bool:
        return bool(self.compute_node_uuid)


class Correlator:
    """The pending causes of one log, a bounded number of them.

    The cause of a fault is the answer 409; the failed update that follows it names the node. The fault is reported
    when the failed update arrives, or without it (the conflicting name then stands for the node) when the same request
    meets the same conflict again, after WINDOW more bytes of log, when the table is full, or on `flush`. A failed
    update after that is not reported again; one without a cause in this log is another failure, of an unknown kind.
    """

    def __init__(self, file: str, host: str, pending: Optional[List[Mapping[str, Any]]] = None) -> None:
        self._file = file
        self._host = host
        self._pending: OrderedDict[_Key, _Pending] = OrderedDict()
        for values in pending or []:
            one = _Pending(**values)
            self._pending[one.key] = one

    def state(self) -> List[Dict[str, Any]]:
        """Return the pending causes as plain values, for the third parameter of a later Correlator."""
        return [asdict(one) for one in self._pending.values()]

    def add(self, entry: Entry, offset: int) -> List[Event]:
        """Take in one record of nova's, at this offset of the log, and return the events that it completes."""
        events = self.expire(offset)
        cause = read_cause(entry)
        if cause:
            return events + self._open(_pending_of(entry, cause, offset))
        failed = read_failed_update(entry)
        return events + (self._close(entry, failed) if failed else [])

    def expire(self, offset: int) -> List[Event]:
        """Report the causes whose failed update did not follow in the WINDOW before this offset."""
        events: List[Event] = []
        while self._pending and next(iter(self._pending.values())).offset < offset - WINDOW:
            events += self._drop_oldest()
        return events

    def flush(self) -> List[Event]:
        """Report what is pending, and keep it so that a late failed update is not reported again."""
        events: List[Event] = []
        for key, one in self._pending.items():
            events += self._report_alone(one)
            if one.is_creation:
                self._pending[key] = replace(one, reported=True)
        return events

    def _open(self, one: _Pending) -> List[Event]:
        if not one.is_creation and self._has_creation(one):
            return []
        events = self._report_alone(self._pending.pop(one.key)) if one.key in self._pending else []
        self._pending[one.key] = one
        if len(self._pending) > MOST_PENDING:
            events += self._drop_oldest()
        return events

    def _has_creation(self, one: _Pending) -> bool:
        return any(other.is_creation and other.key[:3] == one.key[:3] for other in self._pending.values())

    def _close(self, entry: Entry, failed: FailedUpdate) -> List[Event]:
        one = self._find(entry, failed)
        if one is None:
            return self._without_cause(entry, failed)
        del self._pending[one.key]
        return [] if one.reported else [self._event(one, failed.node, failed.name)]

    def _find(self, entry: Entry, failed: FailedUpdate) -> Optional[_Pending]:
        request = (entry.host, entry.process, entry.request_id)
        if failed.name:
            return self._pending.get((*request, failed.name)) or self._pending.get((*request, ""))
        return next((one for key, one in reversed(self._pending.items()) if key[:3] == request), None)

    def _without_cause(self, entry: Entry, failed: FailedUpdate) -> List[Event]:
        if not failed.name:
            return []
        cause = Cause(UNKNOWN, "the log does not show the cause: it has no answer of Placement to this request")
        return [self._event(_pending_of(entry, cause, 0), failed.node, failed.name)]

    def _drop_oldest(self) -> List[Event]:
        return self._report_alone(self._pending.popitem(last=False)[1])

    def _report_alone(self, one: _Pending) -> List[Event]:
        """The event without a failed update."""
        if one.reported or not one.is_creation:
            return []
        return [self._event(one, one.provider_name, one.provider_name)]

    def _event(self, one: _Pending, node: str, name: str) -> Event:
        fields = {
            "host": self._host or one.host or node,
            "node": node,
            "provider_name": one.provider_name or name,
            "compute_node_uuid": one.compute_node_uuid,
            "time": one.time,
            "request_id": one.request_id,
            "file": self._file,
        }
        return OtherFailure(kind=one.kind, cause=one.cause, **fields) if one.kind else Fault(**fields)


def _pending_of(entry: Entry, cause: Cause, offset: int) -> _Pending:
    return _Pending(
        kind=cause.kind,
        cause=cause.text,
        host=entry.host,
        process=entry.process,
        provider_name=cause.name,
        compute_node_uuid=cause.uuid,
        time=entry.time,
        request_id=entry.request_id,
        offset=offset,
    )
