"""Asks Nova, before each restoring write and after it, whether a saved consumer's part is still its own."""

from __future__ import annotations

from typing import Dict, Iterable

from placement_recovery.plan.consumers import Decision
from placement_recovery.plan.owners import Verdict, judge_owner
from placement_recovery.records.record import Saved
from placement_recovery.recovery.context import Context


def ask_nova(context: Context, saved: Saved, decisions: Iterable[Decision]) -> Dict[str, Verdict]:
    """A verdict on each consumer that was saved, by its UUID, as Nova shows things now.

    Raises CellSilent where Nova cannot show all of it.
    """
    chosen = list(decisions)
    movers = {one.mover for one in chosen if one.mover}
    owners = context.reader.sure_owners(saved.host, [one.uuid for one in chosen], movers)
    return {one.uuid: judge_owner(one.uuid, one.kind, one.mover, saved.host, saved.node, owners) for one in chosen}
