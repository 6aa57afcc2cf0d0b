"""Asks Nova, before each restoring write and after it, whether a saved consumer's part is still its own."""

from __future__ import annotations

from typing import Dict, Iterable

from placement_recovery.plan.consumers import Decision
from placement_recovery.plan.owners import Verdict, judge_owner
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context


def ask_nova(context: Context, saved: Saved, decisions: Iterable[Decision]) -> Dict[str, Verdict]:
    """A verdict on each consumer that was saved, by its UUID, as Nova shows things now."""
    chosen = list(decisions)
    owners = context.reader.owners(saved.host, [one.uuid for one in chosen])
    return {one.uuid: judge_owner(one.uuid, one.kind, saved.host, saved.node, owners) for one in chosen}
