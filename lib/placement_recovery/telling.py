"""The end of a run that a trigger started and that opened no recovery: remembered for the cooldown, and told once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, Mapping

from placement_recovery.clock import Clock
from placement_recovery.dispatch import PACK
from placement_recovery.plan.brief import shorten
from placement_recovery.plan.diagnosis import CANNOT_TELL, UNKNOWN_HOST
from placement_recovery.plan.plan import NEEDS_APPROVAL
from placement_recovery.store import Store
from placement_recovery.told import remember, tell_once

NEEDS_APPROVAL_TRIGGER = f"{PACK}.needs_approval"

# As in triggers/needs_approval.yaml.
LONGEST_SUMMARY = 1000
LONGEST_NEXT = 500
LONGEST_TEXT = 4000

# A trigger may name any host; what nova does not list is not remembered, or a forged log could fill the store.
_NO_HOST = (UNKNOWN_HOST, CANNOT_TELL)


@dataclass(frozen=True)
class Outcome:
    """How the plan of such a run came out; the fields are those of plan_recovery's result."""

    host: str
    state: str
    finding: str
    method: str
    digest: str
    summary: str
    next: str
    text: str


def tell_outcome(store: Store, clock: Clock, outcome: Outcome, send: Callable[[Dict[str, Any]], None]) -> str:
    """Remember the end; call `send` with the payload of needs_approval if a person has to be told. What was done.

    Raises what `send` raises, and StoreUnavailable or RecordInvalid.
    """
    if outcome.finding in _NO_HOST:
        return f"{outcome.host} is no host that could be remembered ({outcome.finding})"
    if outcome.state != NEEDS_APPROVAL:
        remember(store, clock, outcome.host, outcome.state)
        return f"it is remembered that the run for {outcome.host} ended ({outcome.state})"
    payload = _payload(outcome)
    if tell_once(store, clock, outcome.host, outcome.digest, outcome.state, lambda: send(payload)):
        return f"{NEEDS_APPROVAL_TRIGGER} is sent for {outcome.host}, digest {outcome.digest}"
    return f"digest {outcome.digest} of {outcome.host} was told already"


def _payload(outcome: Outcome) -> Dict[str, Any]:
    longest: Mapping[str, int] = {"summary": LONGEST_SUMMARY, "next": LONGEST_NEXT, "text": LONGEST_TEXT}
    fields = {name: value for name, value in asdict(outcome).items() if name != "state"}
    return {name: shorten(value, longest.get(name, len(value))) for name, value in fields.items()}
