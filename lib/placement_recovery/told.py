"""What was told about a host, and how the last run that a trigger started for it ended: one text a host, in the store.

The datastore has no compare-and-set, so "once" is made of an intent that is read back: who wants to tell writes a
token, waits a moment, and tells only if its own token still stands. Of many at once the last writer tells. Only a run
that stalls for longer than that moment, between its look and its write, can make it twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Callable, Mapping

from placement_recovery.clock import TIME_FORMAT, Clock
from placement_recovery.errors import RecordInvalid, RecordNotFound, StoreUnavailable
from placement_recovery.store.base import TOLD, Store

# Seconds that an intent has to stand before its writer tells: many times what a look and a write take.
SETTLE = 2.0
# Seconds after which an intent that nobody carried out counts no more: its writer died.
PATIENCE = 120.0
# How many digests are remembered a host, the newest; a plan that old is not asked for again.
MOST_DIGESTS = 20


@dataclass(frozen=True)
class Memory:
    """What is known of one host. Times are those of Clock.now().

    `state` and `ended_at`: how and when the last run ended that a trigger started and that opened no recovery. `told`
    maps the digests that people were told about to when. `teller` is the token of the run that is about to tell.
    """

    host: str
    state: str = ""
    ended_at: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    teller: str = ""
    telling: str = ""
    telling_at: str = ""


def recall(store: Store, host: str) -> Memory:
    """What is known of a host; an empty memory where nothing is. Raises RecordInvalid, StoreUnavailable."""
    try:
        text = store.get(_id(host), TOLD)
    except RecordNotFound:
        return Memory(host)
    try:
        return _parsed(json.loads(text), host)
    except (ValueError, TypeError) as error:
        raise RecordInvalid(
            f"what was told about {host} is unreadable ({error}); remove it ('{TOLD}' of {_id(host)} in the store). At "
            f"worst, something is told twice"
        ) from error


def remember(store: Store, clock: Clock, host: str, state: str) -> None:
    """A run that a trigger started for this host has ended, with nothing to tell."""
    memory = recall(store, host)
    _write(store, memory, replace(memory, state=state, ended_at=clock.now()))


def tell_once(store: Store, clock: Clock, host: str, digest: str, state: str, send: Callable[[], None]) -> bool:
    """Send, unless this digest was told already, or another run is telling it now. Whether it was sent.

    A `send` that raises leaves the intent behind: after PATIENCE seconds another run tells.
    """
    memory = recall(store, host)
    if digest in memory.told:
        remember(store, clock, host, state)
        return False
    if memory.telling == digest and age(clock, memory.telling_at) < PATIENCE:
        return False
    intent = replace(memory, teller=secrets.token_hex(8), telling=digest, telling_at=clock.now())
    if not _write(store, memory, intent):
        return False
    clock.sleep(SETTLE)
    if recall(store, host).teller != intent.teller:
        return False
    send()
    _write(store, intent, _after_telling(memory, digest, state, clock.now()))
    return True


def age(clock: Clock, at: str) -> float:
    """Seconds since a time of Clock.now(); negative where another machine's clock is ahead."""
    return (_parse(clock.now()) - _parse(at)).total_seconds()


def _after_telling(memory: Memory, digest: str, state: str, now: str) -> Memory:
    told = sorted({**memory.told, digest: now}.items(), key=lambda item: item[1])
    return Memory(memory.host, state, now, dict(told[-MOST_DIGESTS:]))


def _write(store: Store, before: Memory, after: Memory) -> bool:
    """Whether it reads back; False where another run was faster by a hair, whose memory stands then."""
    try:
        store.put(_id(after.host), TOLD, json.dumps(asdict(after), sort_keys=True))
    except StoreUnavailable:
        if recall(store, after.host) in (before, after):
            raise
        return False
    return True


def _parsed(document: Any, host: str) -> Memory:
    memory = Memory(**document)
    if memory.host != host:
        raise ValueError(f"it is that of {memory.host}")
    times = [memory.ended_at, memory.telling_at, *memory.told.values()]
    for at in filter(None, times):
        _parse(at)
    return memory


def _parse(at: str) -> datetime:
    return datetime.strptime(at, TIME_FORMAT)


def _id(host: str) -> str:
    """An id as the store takes it; names of hosts have other characters."""
    return hashlib.sha256(host.encode()).hexdigest()[:32]
