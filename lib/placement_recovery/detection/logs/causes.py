"""What nova's records say about a failed creation of a provider: the cause, and the failed update that follows it."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from placement_recovery.detection.logs import events
from placement_recovery.detection.logs.anchors import (
    CREATION_FAILED,
    NO_AUTHENTICATION,
    NO_CREDENTIALS,
    NO_ENDPOINT,
    NO_URL,
    NOT_CREATED,
    NOT_RESPONDING,
    NOT_UPDATED,
)
from placement_recovery.detection.logs.entries import Entry
from placement_recovery.detection.logs.jsontext import read_first_object, read_text

_REPORT_CLIENT = "nova.scheduler.client.report"
_COMPUTE_MANAGER = "nova.compute.manager"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NOT_CREATED = re.compile(
    rf"(?:\[[\w-]{{1,80}}\] )?{re.escape(NOT_CREATED)}(?P<uuid>{_UUID})\. Got (?P<status>[0-9]{{3}}): (?P<answer>.*)",
    re.DOTALL,
)
# If the UUID exists as well, Placement names it too: then the provider is the node's own.
_NAME_TAKEN = re.compile(r"Conflicting resource provider name: (?P<name>.{1,200}) already exists\.")
_NAME_AND_UUID = re.compile(rf", uuid: {_UUID}$")

# Without the dot nova reports a wrong configuration.
_NOT_UPDATED = re.compile(
    rf"{re.escape(NOT_UPDATED)}(?P<node>[\w.:-]{{1,255}})\.(?:: ?(?P<exception>.+))?"
)
_EXCEPTION = re.compile(rf"(?:[\w.]+\.)?{CREATION_FAILED}Failed to create resource provider (?P<name>.{{1,200}})")

_NO_ANSWER = {
    NOT_RESPONDING: events.UNREACHABLE,
    NO_ENDPOINT: events.UNREACHABLE,
    NO_URL: events.UNREACHABLE,
    NO_CREDENTIALS: events.DENIED,
    NO_AUTHENTICATION: events.DENIED,
}
_LONGEST_CAUSE = 300


class Cause(NamedTuple):
    """Why a provider could not be created. For the fault `kind` is empty; only then is `name` known."""

    kind: str
    text: str
    name: str = ""
    uuid: str = ""

    @property
    def is_creation(self) -> bool:
        """Whether the record is about a creation; a lost connection may concern any request."""
        return bool(self.uuid)


class FailedUpdate(NamedTuple):
    """The failed update of a node. `name` is the provider that could not be created, empty if the record lacks it."""

    node: str
    name: str


def read_cause(entry: Entry) -> Optional[Cause]:
    """Return the cause, which nova's Placement client logs right before the failed update; None for other records."""
    if entry.logger not in (_REPORT_CLIENT, ""):
        return None
    if entry.level in ("WARNING", "WARN", ""):
        lost = _no_answer(entry.message)
        if lost:
            return lost
    match = _NOT_CREATED.fullmatch(entry.message) if entry.level in ("ERROR", "") else None
    return _answered(match["uuid"], int(match["status"]), match["answer"]) if match else None


def read_failed_update(entry: Entry) -> Optional[FailedUpdate]:
    """Return the failed update of a node if its reason is ResourceProviderCreationFailed or not given, else None."""
    if entry.logger not in (_COMPUTE_MANAGER, "") or entry.level not in ("ERROR", ""):
        return None
    match = _NOT_UPDATED.fullmatch(entry.message)
    if not match:
        return None
    reason = match["exception"] or entry.exception
    known = _EXCEPTION.fullmatch(reason)
    if reason and not known:
        return None
    return FailedUpdate(match["node"], known["name"] if known else "")


def _answered(uuid: str, status: int, answer: str) -> Cause:
    name = _taken_name(answer) if status == 409 else ""
    if name:
        return Cause("", "", name, uuid)
    if status == 409:
        text = "Placement answered 409 to the creation, without a conflicting name or with a truncated answer"
        return Cause(events.REJECTED, text, uuid=uuid)
    return Cause(_kind_of(status), f"Placement answered {status} to the creation", uuid=uuid)


def _kind_of(status: int) -> str:
    if status in (401, 403):
        return events.DENIED
    return events.UNAVAILABLE if status >= 500 else events.REJECTED


def _taken_name(answer: str) -> str:
    # Python 2 may append an exception that has nothing to do with it.
    found = read_first_object(answer).get("errors")
    for error in found if isinstance(found, list) else []:
        name = _name_in(error.get("detail")) if isinstance(error, dict) and error.get("status") == 409 else ""
        if name:
            return name
    return ""


def _name_in(detail: object) -> str:
    match = _NAME_TAKEN.fullmatch(read_text(detail).rstrip().rpartition("\n")[2].lstrip())
    if not match or _NAME_AND_UUID.search(match["name"]) or not match["name"].isprintable():
        return ""
    return match["name"]


def _no_answer(message: str) -> Optional[Cause]:
    for words, kind in _NO_ANSWER.items():
        if message.startswith(words):
            return Cause(kind, "".join(char if char.isprintable() else " " for char in message[:_LONGEST_CAUSE]))
    return None
