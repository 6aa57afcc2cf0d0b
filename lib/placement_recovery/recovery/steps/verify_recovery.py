"""verify_recovery: the end is judged by Nova and Placement, not by what we believe to have written."""

from __future__ import annotations

from typing import Dict, List

from placement_recovery.cloud.model import Consumer, Resources
from placement_recovery.errors import VerificationFailed
from placement_recovery.plan.consumers import KEEP, Decision
from placement_recovery.plan.diagnosis import HEALTHY, diagnose
from placement_recovery.plan.owners import GONE, HELD, Verdict
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.counts import counted
from placement_recovery.recovery.ownership import ask_nova


def verify_recovery(context: Context, journal: Journal) -> str:
    """Check the host and every saved consumer. Raises VerificationFailed with all differences."""
    saved = journal.saved
    snapshot = context.reader.snapshot(saved.requested_name, holders=False)
    diagnosis = diagnose(snapshot)
    if diagnosis.finding != HEALTHY or snapshot.provider_by_uuid is None:
        raise VerificationFailed(f"{saved.host} is not healthy after recovery {saved.id}: {diagnosis.explanation}")
    kept = saved.with_disposition(KEEP)
    verdicts = ask_nova(context, saved, kept) if kept else {}
    differences = _differences(context, saved, snapshot.provider_by_uuid.uuid, verdicts)
    if differences:
        raise VerificationFailed(
            f"{len(differences)} consumer(s) of {saved.host} are not as planned: {'; '.join(differences[:5])}. What "
            f"was saved stands in recovery {saved.id}; resume it, or look at each"
        )
    gone = sum(1 for one in verdicts.values() if one.what == GONE)
    return f"{saved.host} is healthy; {counted(saved, len(kept) - gone, gone)}"


def _differences(context: Context, saved: Saved, new: str, verdicts: Dict[str, Verdict]) -> List[str]:
    held = {one.uuid: one for one in context.reader.show_consumers(one.uuid for one in saved.consumers)}
    found = []
    for decision in saved.consumers:
        found += _difference(decision, held[decision.uuid], saved, new, verdicts)
    return found


def _difference(
    decision: Decision, held: Consumer, saved: Saved, new: str, verdicts: Dict[str, Verdict]
) -> List[str]:
    uuid = decision.uuid
    stale = held.on(saved.stale_uuids)
    if stale:
        return [f"{uuid} still holds the stale provider ({_text(stale)})"]
    verdict = verdicts.get(uuid)
    if verdict is None or verdict.what != HELD:
        return []
    wanted, found = decision.consumer.allocations[saved.stale.uuid], held.allocations.get(new, {})
    if dict(wanted) != dict(found):
        return [f"{uuid} should hold {_amounts(wanted)} on {new}, but holds {_amounts(found)}"]
    return [
        f"{uuid} should hold {_amounts(part)} on {other}, but holds {_amounts(held.allocations.get(other, {}))}"
        for other, part in sorted(decision.consumer.without(saved.stale_uuids).items())
        if part != dict(held.allocations.get(other, {}))
    ]


def _text(parts: Dict[str, Dict[str, int]]) -> str:
    return ", ".join(f"{uuid}: {_amounts(part)}" for uuid, part in sorted(parts.items()))


def _amounts(part: Resources) -> str:
    return " ".join(f"{name}={amount}" for name, amount in sorted(part.items())) or "nothing"
