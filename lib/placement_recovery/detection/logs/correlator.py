"""Joins a cause with the failure that follows it, and decides when an event is told."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from placement_recovery.detection.logs.causes import Cause, Failure, read_cause, read_failure
from placement_recovery.detection.logs.entries import Entry
from placement_recovery.detection.logs.events import UNKNOWN, Event, Fault, Trouble

MOST_CASES = 256
WINDOW = 1024 * 1024  # bytes of log in which the failure must follow its cause; nova writes it at once

# Host, process, request id and, for a fault, the name: one request may create several nodes' providers.
_Key = Tuple[str, str, str, str]


@dataclass(frozen=True)
class _Case:
    """A cause that waits for its failure, or (`told`) one whose failure must not be told again."""

    kind: str
    cause: str
    host: str
    process: str
    provider_name: str
    compute_node_uuid: str
    time: str
    request_id: str
    offset: int
    told: bool = False

    @property
    def key(self) -> _Key:
        return (self.host, self.process, self.request_id, self.provider_name)

    @property
    def is_creation(self) -> bool:
        return bool(self.compute_node_uuid)


class Ledger:
    """The cases of one log that are open, a bounded number of them.

    A fault's cause is the answer 409; the failure behind it names the node. The fault is told when the failure
    comes, or without it (then the conflicting name stands for the node): when the same request meets the same
    conflict again, after WINDOW more bytes of log, when the table is full, or when `flush` is called. A failure
    that comes after that is not told again; one without a cause in this log is trouble of an unknown kind.
    """

    def __init__(self, file: str, host: str, cases: Optional[List[Mapping[str, Any]]] = None) -> None:
        self._file = file
        self._host = host
        self._cases: OrderedDict[_Key, _Case] = OrderedDict()
        for values in cases or []:
            case = _Case(**values)
            self._cases[case.key] = case

    def state(self) -> List[Dict[str, Any]]:
        """Return the open cases as plain values, for the third parameter of a later Ledger."""
        return [asdict(case) for case in self._cases.values()]

    def see(self, entry: Entry, offset: int) -> List[Event]:
        """Take one record of nova's, at this offset of the log, into account."""
        events = self.expire(offset)
        cause = read_cause(entry)
        if cause:
            return events + self._open(_case_of(entry, cause, offset))
        failure = read_failure(entry)
        return events + (self._close(entry, failure) if failure else [])

    def expire(self, offset: int) -> List[Event]:
        """Tell the cases whose failure did not come in the WINDOW before this offset."""
        events: List[Event] = []
        while self._cases and next(iter(self._cases.values())).offset < offset - WINDOW:
            events += self._drop_oldest()
        return events

    def flush(self) -> List[Event]:
        """Tell what is open, and remember it so that a late failure is not told again."""
        events: List[Event] = []
        for key, case in self._cases.items():
            events += self._told_alone(case)
            if case.is_creation:
                self._cases[key] = replace(case, told=True)
        return events

    def _open(self, case: _Case) -> List[Event]:
        if not case.is_creation and self._creation_of(case):
            return []
        events = self._told_alone(self._cases.pop(case.key)) if case.key in self._cases else []
        self._cases[case.key] = case
        if len(self._cases) > MOST_CASES:
            events += self._drop_oldest()
        return events

    def _creation_of(self, case: _Case) -> bool:
        return any(other.is_creation and other.key[:3] == case.key[:3] for other in self._cases.values())

    def _close(self, entry: Entry, failure: Failure) -> List[Event]:
        case = self._find(entry, failure)
        if case is None:
            return self._without_cause(entry, failure)
        del self._cases[case.key]
        return [] if case.told else [self._event(case, failure.node, failure.name)]

    def _find(self, entry: Entry, failure: Failure) -> Optional[_Case]:
        request = (entry.host, entry.process, entry.request_id)
        if failure.name:
            return self._cases.get((*request, failure.name)) or self._cases.get((*request, ""))
        return next((case for key, case in reversed(self._cases.items()) if key[:3] == request), None)

    def _without_cause(self, entry: Entry, failure: Failure) -> List[Event]:
        if not failure.name:
            return []
        cause = Cause(UNKNOWN, "the log does not say why: no answer of Placement to this request is in it")
        return [self._event(_case_of(entry, cause, 0), failure.node, failure.name)]

    def _drop_oldest(self) -> List[Event]:
        return self._told_alone(self._cases.popitem(last=False)[1])

    def _told_alone(self, case: _Case) -> List[Event]:
        if case.told or not case.is_creation:
            return []
        return [self._event(case, case.provider_name, case.provider_name)]

    def _event(self, case: _Case, node: str, name: str) -> Event:
        fields = {
            "host": self._host or case.host or node,
            "node": node,
            "provider_name": case.provider_name or name,
            "compute_node_uuid": case.compute_node_uuid,
            "time": case.time,
            "request_id": case.request_id,
            "file": self._file,
        }
        return Trouble(kind=case.kind, cause=case.cause, **fields) if case.kind else Fault(**fields)


def _case_of(entry: Entry, cause: Cause, offset: int) -> _Case:
    return _Case(
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
