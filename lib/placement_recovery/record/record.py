"""The two parts of a record as values: `Saved` never changes, `Progress` is replaced step by step."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Dict, Mapping, Tuple

from placement_recovery.errors import RecordInvalid
from placement_recovery.model import ComputeService, Consumer, Provider, as_dict
from placement_recovery.record.document import checksum, dumps, loads
from placement_recovery.store.base import PROGRESS, SAVED

SCHEMA = 1

OPEN = "open"
FINISHED = "finished"
ABANDONED = "abandoned"
ROLLED_BACK = "rolled_back"

FORWARD = "forward"
BACK = "back"

INTENDED = "intended"
DONE = "done"
FAILED = "failed"


_DECIDED = ("name", "kind", "disposition", "evidence", "leftover")


@dataclass(frozen=True)
class SavedConsumer:
    """A consumer as it was, and what was decided about it."""

    consumer: Consumer
    name: str
    kind: str
    disposition: str
    evidence: str
    leftover: bool = False

    def to_dict(self) -> Dict[str, Any]:
        """Plain JSON values, flat."""
        decided = {name: getattr(self, name) for name in _DECIDED}
        return {**as_dict(self.consumer), **decided}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> SavedConsumer:
        """Inverse of `to_dict`."""
        own = {name: value[name] for name in _DECIDED}
        return cls(Consumer.from_dict({name: item for name, item in value.items() if name not in own}), **own)


@dataclass(frozen=True)
class Saved:
    """All that a recovery may have to bring back. `tree` begins with the stale provider."""

    id: str
    created_at: str
    started_by: str
    asked: str
    host: str
    node: str
    method: str
    unknown: str
    digest: str
    findings: Tuple[str, ...]
    new_provider: str
    service: ComputeService
    tree: Tuple[Provider, ...]
    consumers: Tuple[SavedConsumer, ...]

    @property
    def stale(self) -> Provider:
        """The stale provider."""
        return self.tree[0]

    @property
    def stale_uuids(self) -> Tuple[str, ...]:
        """The UUIDs of the whole stale tree."""
        return tuple(one.uuid for one in self.tree)

    def with_disposition(self, *dispositions: str) -> Tuple[SavedConsumer, ...]:
        """The consumers that were decided so."""
        return tuple(one for one in self.consumers if one.disposition in dispositions)

    def with_changed(self, changed: Tuple[SavedConsumer, ...]) -> Saved:
        """The same, but for consumers that changed later and were decided upon again."""
        later = {one.consumer.uuid: one for one in changed}
        return replace(self, consumers=tuple(later.get(one.consumer.uuid, one) for one in self.consumers))

    def to_text(self) -> str:
        """JSON with a checksum. Raises RecordInvalid."""
        document = {
            **{item.name: getattr(self, item.name) for item in fields(self)},
            "schema": SCHEMA,
            "findings": list(self.findings),
            "service": as_dict(self.service),
            "tree": [_listed(as_dict(one)) for one in self.tree],
            "consumers": [one.to_dict() for one in self.consumers],
        }
        return dumps(SAVED, {**document, "checksum": checksum(document)})

    @classmethod
    def from_text(cls, recovery_id: str, text: str) -> Saved:
        """Inverse of `to_text`. Raises RecordInvalid, also for a checksum that differs."""
        document = _trusted(SAVED, recovery_id, text)
        return cls(
            **{
                **document,
                "findings": tuple(document["findings"]),
                "service": ComputeService.from_dict(document["service"]),
                "tree": tuple(Provider.from_dict(one) for one in document["tree"]),
                "consumers": tuple(SavedConsumer.from_dict(one) for one in document["consumers"]),
            }
        )


@dataclass(frozen=True)
class StepProgress:
    """One step: intent is recorded before its first write, the outcome after the last."""

    state: str
    runs: int
    started_at: str
    ended_at: str = ""
    summary: str = ""
    error: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a recovery came. `saved` is the checksum of the saved part.

    `run` is who works on it: each start and each resume is a new one. `direction` is back from when a rollback has
    brought the stale provider back. `writing` is set before the first request that could take an allocation away; until
    then all can be put back as it was. `providers` maps stale to new UUIDs, `outcomes` a consumer to what became of it
    where that is worth telling. `changed` are the consumers that others changed after they were saved, as they were
    last seen before anything of theirs was taken away.
    """

    id: str
    saved: str
    host: str
    method: str
    created_at: str
    updated_at: str
    state: str = OPEN
    run: str = ""
    direction: str = FORWARD
    writing: bool = False
    providers: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, StepProgress] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    changed: Tuple[SavedConsumer, ...] = ()

    def is_done(self, step: str) -> bool:
        """Whether this step ended well once."""
        return step in self.steps and self.steps[step].state == DONE

    def with_step(self, name: str, step: StepProgress) -> Progress:
        """The same with one step replaced."""
        return replace(self, steps={**self.steps, name: step})

    def to_text(self) -> str:
        """JSON with a checksum. Raises RecordInvalid."""
        changed = [one.to_dict() for one in self.changed]
        document = {**as_dict(replace(self, changed=())), "changed": changed, "schema": SCHEMA}
        return dumps(PROGRESS, {**document, "checksum": checksum(document)})

    @classmethod
    def from_text(cls, recovery_id: str, text: str) -> Progress:
        """Inverse of `to_text`. Raises RecordInvalid, also for a checksum that differs."""
        document = _trusted(PROGRESS, recovery_id, text)
        steps = {name: StepProgress(**one) for name, one in document["steps"].items()}
        changed = tuple(SavedConsumer.from_dict(one) for one in document["changed"])
        return cls(**{**document, "steps": steps, "changed": changed})


def _trusted(part: str, recovery_id: str, text: str) -> Dict[str, Any]:
    document = loads(part, recovery_id, text)
    if document.pop("checksum") != checksum(document):
        raise RecordInvalid(
            f"recovery {recovery_id}: its {part} record is not what was written (checksum differs). Nothing is done "
            f"with it: put the original back from a backup of the store"
        )
    document.pop("schema")
    return document


def _listed(provider: Dict[str, Any]) -> Dict[str, Any]:
    return {**provider, "traits": list(provider["traits"]), "aggregates": list(provider["aggregates"])}
