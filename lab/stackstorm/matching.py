"""Which of the pack's rules a trigger meets (standard library only; the engine judges, by ``rules``).

for instance in triggers.read(datastore):
    for match in matching.match(instance.trigger, instance.payload):
        execution = runner.run(match.action, match.parameters, trigger=instance.payload, datastore=datastore)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lab.stackstorm.runner import ROOT, Refused, Running


class Match(NamedTuple):
    """A rule that a trigger meets: its action, and the action's parameters with their templates in them."""

    rule: str
    action: str
    parameters: Mapping[str, Any]


def match(trigger: str, payload: Any, *, parameters: Mapping[str, Any] | None = None, pack: Path = ROOT) -> list[Match]:
    """The rules of the pack that are enabled and whose criteria the payload meets.

    ``parameters`` are those of the trigger (a webhook's url). Refused where StackStorm would not dispatch it at all: an
    unknown trigger, or a payload that breaks its schema.
    """
    request = {
        "op": "match",
        "pack": str(pack.absolute()),
        "trigger": trigger,
        "payload": payload,
        "parameters": dict(parameters or {}),
    }
    with Running("match", request, None, lambda _event: None) as running:
        events = running.until_ended()
    if not events or events[-1]["event"] != "judged":
        raise Refused(events[-1]["message"] if events else "the engine ended early")
    return [Match(e["rule"], e["action"], e["parameters"]) for e in events if e["event"] == "matched"]
