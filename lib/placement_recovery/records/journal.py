"""The journal of one recovery: its record in a store, with the intents and outcomes of its steps."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Tuple

from placement_recovery.clock import Clock
from placement_recovery.errors import RecordInvalid, RecordNotFound, RecoveryUnderWay
from placement_recovery.plan.consumers import Decision
from placement_recovery.records.record import (
    BACK,
    DONE,
    FAILED,
    FORWARD,
    INTENDED,
    OPEN,
    Progress,
    Saved,
    StepProgress,
)
from placement_recovery.records.stores.base import PROGRESS, SAVED, Store


class Journal:
    """Reads and writes one recovery's record. Each method that changes it has stored the change when it returns."""

    def __init__(self, store: Store, clock: Clock, saved: Saved, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._saved = saved
        self.progress = progress
        self.attempt = progress.attempt

    @property
    def saved(self) -> Saved:
        """All that may have to be brought back; who changed since, as it was seen last."""
        return self._saved.with_changed(self.progress.changed).with_recreated(self.progress.recreated)

    @classmethod
    def open(cls, store: Store, clock: Clock, saved: Saved) -> Journal:
        """Store a new record, and read it back, before anything is changed anywhere."""
        text = saved.to_text()
        store.add(saved.id, SAVED, text)
        kept = Saved.from_text(saved.id, store.get(saved.id, SAVED))
        if kept != saved:
            raise RecordInvalid(f"recovery {saved.id}: its saved record reads back otherwise than it was; not begun")
        progress = Progress(
            saved.id,
            _checksum(text),
            saved.host,
            saved.method,
            saved.created_at,
            saved.created_at,
            attempt=_new_attempt(),
        )
        store.put(saved.id, PROGRESS, progress.to_text())
        return cls(store, clock, saved, progress)

    @classmethod
    def load(cls, store: Store, clock: Clock, recovery_id: str) -> Journal:
        """Read both parts. Raises RecordNotFound, RecordInvalid, StoreUnavailable."""
        text = store.get(recovery_id, SAVED)
        saved = Saved.from_text(recovery_id, text)
        progress = Progress.from_text(recovery_id, store.get(recovery_id, PROGRESS))
        if progress.saved != _checksum(text):
            raise RecordInvalid(
                f"recovery {recovery_id}: its two records do not belong together. Nothing is done with either"
            )
        return cls(store, clock, saved, progress)

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.progress.state == OPEN

    def take_over(self, step: str) -> None:
        """Begin a new attempt; the one before, should it still be at work, may write nothing more.

        `step` is the one that does this, and so is intended itself. Any other that is intended still has died.
        """
        now = self._clock.now()
        died = any(one.state == INTENDED for name, one in self.progress.steps.items() if name != step)
        taken = replace(
            self.progress,
            attempt=_new_attempt(),
            updated_at=now,
            unanswered_at=now if died else self.progress.unanswered_at,
        )
        self._store.put(taken.id, PROGRESS, taken.to_text())
        self.progress, self.attempt = taken, taken.attempt

    def check_attempt(self, attempt: str) -> None:
        """Raise RecoveryUnderWay unless this attempt is still the one at work. By hand, "" joins whichever it is."""
        if attempt and attempt != self.progress.attempt:
            raise RecoveryUnderWay(
                f"another resume of recovery {self.saved.id} has taken over (attempt {self.progress.attempt}, not "
                f"{attempt}); this one did nothing more"
            )

    def intend(self, step: str) -> None:
        """Record that a step begins, before it writes anything."""
        tries = self.progress.steps[step].tries if step in self.progress.steps else 0
        self._put(self.progress.with_step(step, StepProgress(INTENDED, tries + 1, self._clock.now())))

    def done(self, step: str, summary: str) -> None:
        """Record that a step ended well."""
        self._end(step, state=DONE, summary=summary)

    def failed(self, step: str, error: Exception) -> None:
        """Record why a step did not end well."""
        self._end(step, state=FAILED, error=f"{type(error).__name__}: {error}")

    def pass_no_return(self, passed: bool = True) -> None:
        """Record that the next request may take an allocation away; False: that Placement refused all of them."""
        self._put(replace(self.progress, past_no_return=passed))

    def turn_back(self) -> None:
        """Record that this recovery is being rolled back: from now on only a rollback can go on with it."""
        if self.progress.direction != BACK:
            self._put(replace(self.progress, direction=BACK))

    def turn_forward(self) -> None:
        """Record that a rollback cannot go on: from now on only a resume can."""
        self._put(replace(self.progress, direction=FORWARD))

    def save_again(self, decisions: Tuple[Decision, ...]) -> None:
        """Record consumers as they are now, before anything of theirs is taken away."""
        later = {one.uuid: one for one in (*self.progress.changed, *decisions)}
        self._put(replace(self.progress, changed=tuple(later.values())))

    def map_provider(self, stale: str, new: str) -> None:
        """Record which new provider takes a stale one's place."""
        if self.progress.providers.get(stale) != new:
            self._put(replace(self.progress, providers={**self.progress.providers, stale: new}))

    def widen(self, widened: Mapping[str, Mapping[str, float]]) -> None:
        """Record the fields of inventories that are about to be made wider than they are to stay, by resource class."""
        before = self.progress.widened
        merged = {name: {field: list(values) for field, values in one.items()} for name, one in before.items()}
        for name, fields in widened.items():
            for field, value in fields.items():
                values = merged.setdefault(name, {}).setdefault(field, [])
                if value not in values:
                    values.append(value)
        if merged != before:
            self._put(replace(self.progress, widened=merged))

    def may_come_late(self) -> None:
        """Record that a write without a generation may have been sent without an answer: it may be carried out yet."""
        self._put(replace(self.progress, unanswered_at=self._clock.now()))

    def replace_again(self, before: str, new: str) -> None:
        """Record that the compute node's UUID changed once more: the root that was made for it is set aside too."""
        self._put(replace(self.progress, providers={**dict.fromkeys(self.progress.providers, new), before: new}))

    def recreate(self, child: str, own: str = "") -> None:
        """Record that a child is about to be set aside, or that its holders are on nova-compute's own one."""
        self._put(replace(self.progress, recreated={**self.progress.recreated, child: own}))

    def keep_child(self, child: str) -> None:
        """Record that a child that was set aside is back in its place."""
        left = {uuid: own for uuid, own in self.progress.recreated.items() if uuid != child}
        self._put(replace(self.progress, recreated=left))

    def outcome(self, consumers: Tuple[str, ...], what: str) -> None:
        """Record what became of consumers that were not simply restored."""
        if consumers:
            became = dict.fromkeys(consumers, what)
            self._put(replace(self.progress, outcomes={**self.progress.outcomes, **became}))

    def close(self, state: str) -> None:
        """Record the end: finished, abandoned or rolled back."""
        self._put(replace(self.progress, state=state))

    def _end(self, step: str, **changes: Any) -> None:
        ended = replace(self.progress.steps[step], ended_at=self._clock.now(), **changes)
        self._put(self.progress.with_step(step, ended))

    def _put(self, progress: Progress) -> None:
        stored = Progress.from_text(self.saved.id, self._store.get(self.saved.id, PROGRESS))
        if stored.attempt != self.attempt:
            self.progress = stored
            self.check_attempt(self.attempt)
        stamped = replace(progress, updated_at=self._clock.now())
        self._store.put(stamped.id, PROGRESS, stamped.to_text())
        self.progress = stamped


def progress_of(store: Store, host: str) -> Tuple[Progress, ...]:
    """How far all recoveries of a host came, the oldest first.

    Raises RecordInvalid for a record that cannot be trusted and may be this host's: it may be an unfinished one.
    """
    found, broken = readable_progress(store, host)
    for error in broken.values():
        raise error
    return found


def readable_progress(store: Store, host: str = "") -> Tuple[Tuple[Progress, ...], Dict[str, RecordInvalid]]:
    """That of all recoveries (of a host) whose records can be trusted; and by its id, what is wrong with each other
    one (that may be the host's).
    """
    found: List[Progress] = []
    broken: Dict[str, RecordInvalid] = {}
    for recovery_id, text in store.texts(PROGRESS).items():
        try:
            progress = Progress.from_text(recovery_id, text)
        except RecordInvalid as error:
            if not host or _may_be_of(host, recovery_id, text):
                broken[recovery_id] = error
        else:
            if host in ("", progress.host):
                found.append(progress)
    return tuple(sorted(found, key=lambda one: (one.created_at, one.id))), broken


def new_id(host: str) -> str:
    """The id of a new recovery. It begins with a digest of the host, which tells whose a record is that was cut off."""
    return f"{_digest(host)}{secrets.token_hex(3)}"


def _may_be_of(host: str, recovery_id: str, text: str) -> bool:
    """Whether a record that cannot be trusted may be this host's; one of another version may have another id."""
    return recovery_id.startswith(_digest(host)) or json.dumps(host) in text


def _digest(host: str) -> str:
    return hashlib.sha256(host.encode()).hexdigest()[:4]


def unfinished(store: Store, host: str) -> Tuple[Progress, ...]:
    """The open recoveries of a host."""
    return tuple(one for one in progress_of(store, host) if one.state == OPEN)


def find_open(store: Store, host: str) -> str:
    """The id of a host's open recovery. Raises RecordNotFound."""
    found = unfinished(store, host)
    if not found:
        raise RecordNotFound(f"host {host} has no unfinished recovery; show_recoveries lists all")
    return found[-1].id


def _new_attempt() -> str:
    return secrets.token_hex(4)


def _checksum(text: str) -> str:
    return str(json.loads(text)["checksum"])
