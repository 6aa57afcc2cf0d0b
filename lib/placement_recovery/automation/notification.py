"""A run that a trigger started and that opened no recovery: remembered for the cooldown; people are notified once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, Mapping

from placement_recovery.automation.notified import notify_once, remember, remember_unknown
from placement_recovery.clock import Clock
from placement_recovery.plan.brief import shorten
from placement_recovery.plan.diagnosis import CANNOT_TELL, UNKNOWN_HOST
from placement_recovery.plan.plan import NEEDS_APPROVAL
from placement_recovery.records.stores import Store
from placement_recovery.triggers import PACK

NEEDS_APPROVAL_TRIGGER = f"{PACK}.needs_approval"

# As in triggers/needs_approval.yaml.
LONGEST_SUMMARY = 1000
LONGEST_NEXT = 500
LONGEST_TEXT = 4000

# A trigger may name any host. All that nova does not list share one text, or a forged log could fill the store.
_NO_HOST = (UNKNOWN_HOST, CANNOT_TELL)


@dataclass(frozen=True)
class EndedRun:
    """How the plan of such a run came out; the fields are those of plan_recovery's result."""

    host: str
    state: str
    finding: str
    method: str
    digest: str
    summary: str
    next: str
    text: str


def notify_outcome(store: Store, clock: Clock, ended: EndedRun, send: Callable[[Dict[str, Any]], None]) -> str:
    """Remember the end; call `send` with the payload of needs_approval if a person has to decide. What was done.

    Raises what `send` raises, and StoreUnavailable or RecordInvalid.
    """
    if ended.finding in _NO_HOST:
        remember_unknown(store, clock, ended.host)
        return f"nova shows no host {ended.host} ({ended.finding}): its next triggers do nothing within the cooldown"
    if ended.state != NEEDS_APPROVAL:
        remember(store, clock, ended.host, ended.state)
        return f"it is remembered that the run for {ended.host} ended ({ended.state})"
    payload = _payload(ended)
    if notify_once(store, clock, ended.host, ended.digest, ended.state, lambda: send(payload)):
        return f"{NEEDS_APPROVAL_TRIGGER} is sent for {ended.host}, digest {ended.digest}"
    return f"people were notified of digest {ended.digest} of {ended.host} already"


def _payload(ended: EndedRun) -> Dict[str, Any]:
    longest: Mapping[str, int] = {"summary": LONGEST_SUMMARY, "next": LONGEST_NEXT, "text": LONGEST_TEXT}
    fields = {name: value for name, value in asdict(ended).items() if name != "state"}
    return {name: shorten(value, longest.get(name, len(value))) for name, value in fields.items()}
