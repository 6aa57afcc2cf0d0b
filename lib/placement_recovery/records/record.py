"""The two parts of a record as values: `Saved` never changes, `Progress` is replaced step by step."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Dict, Mapping, Sequence, Tuple

from placement_recovery.cloud.model import CloudIdentity, ComputeService, Consumer, Provider, as_dict
from placement_recovery.plan.consumers import Decision
from placement_recovery.records.document import checksum, dumps, trusted
from placement_recovery.records.stores.base import PROGRESS, SAVED

# Of the record's format; one of another version is refused.
VERSION = 2

OPEN = "open"
FINISHED = "finished"
ABANDONED = "abandoned"
ROLLED_BACK = "rolled_back"

FORWARD = "forward"
BACK = "back"

INTENDED = "intended"
DONE = "done"
FAILED = "failed"


# Of a decision, what a record keeps beside the consumer itself.
_DECIDED = ("name", "kind", "disposition", "evidence", "unproven", "ownerless", "mover")


@dataclass(frozen=True)
class Saved:
    """All that a recovery may have to bring back. `tree` begins with the stale provider.

    `takes_over` is the recovery that began to set the stale root aside and of which there is no record; its lock is
    taken over.
    """

    id: str
    created_at: str
    started_by: str
    requested_name: str
    host: str
    node: str
    method: str
    unknown: str
    digest: str
    cloud: CloudIdentity
    findings: Tuple[str, ...]
    new_provider: str
    service: ComputeService
    tree: Tuple[Provider, ...]
    consumers: Tuple[Decision, ...]
    takes_over: str = ""

    @property
    def stale(self) -> Provider:
        """The stale provider."""
        return self.tree[0]

    @property
    def children(self) -> Tuple[Provider, ...]:
        """What was below the stale provider."""
        return self.tree[1:]

    @property
    def stale_uuids(self) -> Tuple[str, ...]:
        """The UUIDs of the whole stale tree."""
        return tuple(one.uuid for one in self.tree)

    def with_disposition(self, *dispositions: str) -> Tuple[Decision, ...]:
        """The consumers that were decided so."""
        return tuple(one for one in self.consumers if one.disposition in dispositions)

    def with_changed(self, changed: Tuple[Decision, ...]) -> Saved:
        """The same, but for consumers that changed or came later and were decided upon again."""
        consumers = {one.uuid: one for one in (*self.consumers, *changed)}
        return replace(self, consumers=tuple(consumers.values()))

    def with_recreated(self, recreated: Mapping[str, str]) -> Saved:
        """The same, but for children that nova-compute recreated: their UUIDs stand in place of the former ones."""
        if not any(recreated.values()):
            return self

        def now(uuid: str) -> str:
            return recreated.get(uuid) or uuid

        def held(consumer: Consumer) -> Consumer:
            return consumer.holding({now(uuid): part for uuid, part in consumer.allocations.items()})

        return replace(
            self,
            tree=tuple(replace(one, uuid=now(one.uuid)) for one in self.tree),
            consumers=tuple(replace(one, consumer=held(one.consumer)) for one in self.consumers),
        )

    def to_text(self) -> str:
        """JSON with a checksum. Raises RecordInvalid."""
        document = {
            **{item.name: getattr(self, item.name) for item in fields(self)},
            "version": VERSION,
            "findings": list(self.findings),
            "cloud": as_dict(self.cloud),
            "service": as_dict(self.service),
            "tree": [_listed(as_dict(one)) for one in self.tree],
            "consumers": [flat(one) for one in self.consumers],
        }
        return dumps(SAVED, {**document, "checksum": checksum(document)})

    @classmethod
    def from_text(cls, recovery_id: str, text: str) -> Saved:
        """Inverse of `to_text`. Raises RecordInvalid, also for a checksum that differs."""
        document = trusted(SAVED, recovery_id, text)
        return cls(
            **{
                **document,
                "findings": tuple(document["findings"]),
                "cloud": CloudIdentity.from_dict(document["cloud"]),
                "service": ComputeService.from_dict(document["service"]),
                "tree": tuple(Provider.from_dict(one) for one in document["tree"]),
                "consumers": tuple(_decision(one) for one in document["consumers"]),
            }
        )


@dataclass(frozen=True)
class StepProgress:
    """One step: intent is recorded before its first write, the outcome after the last."""

    state: str
    tries: int
    started_at: str
    ended_at: str = ""
    summary: str = ""
    error: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a recovery came. `saved` is the checksum of the saved part.

    `attempt` is who works on it: each start and each resume is a new one. `direction` is back from when a rollback has
    brought the stale provider back. `past_no_return` is set before the first request that could take an allocation
    away; until then all can be put back as it was. `providers` maps stale to new UUIDs, `outcomes` a consumer to what
    became of it where that is worth a word. `changed` are the consumers that others changed after they were saved, as
    they were last seen before anything of theirs was taken away. `widened` maps a resource class to the fields of its
    inventory that were made wide for a move, each with all values that may have been written. `unanswered_at` is when
    a write that carries no generation may have been sent without an answer: it may still be carried out late.
    `recreated` maps a child that nova-compute recreates to the new one; to "" from before it is set aside until all is
    moved.
    """

    id: str
    saved: str
    host: str
    method: str
    created_at: str
    updated_at: str
    state: str = OPEN
    attempt: str = ""
    direction: str = FORWARD
    past_no_return: bool = False
    providers: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, StepProgress] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    changed: Tuple[Decision, ...] = ()
    widened: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    unanswered_at: str = ""
    recreated: Mapping[str, str] = field(default_factory=dict)

    def is_done(self, step: str) -> bool:
        """Whether this step ended well once."""
        return step in self.steps and self.steps[step].state == DONE

    def with_step(self, name: str, step: StepProgress) -> Progress:
        """The same with one step replaced."""
        return replace(self, steps={**self.steps, name: step})

    def to_text(self) -> str:
        """JSON with a checksum. Raises RecordInvalid."""
        changed = [flat(one) for one in self.changed]
        document = {**as_dict(replace(self, changed=())), "changed": changed, "version": VERSION}
        return dumps(PROGRESS, {**document, "checksum": checksum(document)})

    @classmethod
    def from_text(cls, recovery_id: str, text: str) -> Progress:
        """Inverse of `to_text`. Raises RecordInvalid, also for a checksum that differs."""
        document = trusted(PROGRESS, recovery_id, text)
        steps = {name: StepProgress(**one) for name, one in document["steps"].items()}
        changed = tuple(_decision(one) for one in document["changed"])
        return cls(**{**document, "steps": steps, "changed": changed})


def flat(decision: Decision) -> Dict[str, Any]:
    """The consumer and what was decided about it, as one flat JSON object."""
    return {**as_dict(decision.consumer), **{name: getattr(decision, name) for name in _DECIDED}}


def _decision(value: Mapping[str, Any]) -> Decision:
    """Inverse of `flat`."""
    consumer = Consumer.from_dict({name: item for name, item in value.items() if name not in _DECIDED})
    return Decision(consumer, **{name: value[name] for name in _DECIDED})


def _listed(provider: Dict[str, Any]) -> Dict[str, Any]:
    return {**provider, "traits": list(provider["traits"]), "aggregates": list(provider["aggregates"])}
