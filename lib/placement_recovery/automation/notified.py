"""Whom a trigger's run notified about a host, and how the last such run ended: one text per host, in the store.

The datastore has no compare-and-set, so "once" is made of an intent that is read back: a run that wants to notify
writes a token, waits a moment, and notifies only if its own token still stands. Of many at once the last writer
notifies. Only a run that stalls for longer than that moment, between its look and its write, can notify twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Callable, Dict, Mapping

from placement_recovery.clock import TIME_FORMAT, Clock
from placement_recovery.errors import RecordInvalid, RecordNotFound, StoreUnavailable
from placement_recovery.records.stores.base import NOTIFIED, Store

# Seconds that an intent has to stand before its writer notifies: many times what a look and a write take.
SETTLE = 2.0
# Seconds after which an intent that was not carried out expires: its writer died.
PATIENCE = 120.0
# How many digests are remembered per host, the newest; a plan that old is not asked for again.
MOST_DIGESTS = 20
# How many names that nova does not know are remembered, in one text under this name, which no host can have.
MOST_UNKNOWN = 200
UNKNOWN_NAMES = "unknown names"


@dataclass(frozen=True)
class HostNotifications:
    """What is known of one host. Times are those of Clock.now().

    `state` and `ended_at`: how and when the last run ended that a trigger started and that opened no recovery.
    `notified` maps the digests that people were notified of to when. `notifier` is the token of the run that is about
    to notify.
    """

    host: str
    state: str = ""
    ended_at: str = ""
    notified: Mapping[str, str] = field(default_factory=dict)
    notifier: str = ""
    notifying: str = ""
    notifying_at: str = ""


def recall(store: Store, host: str) -> HostNotifications:
    """What is known of a host; empty where nothing is. Raises RecordInvalid, StoreUnavailable."""
    try:
        text = store.get(_id(host), NOTIFIED)
    except RecordNotFound:
        return HostNotifications(host)
    try:
        return _parsed(json.loads(text), host)
    except (ValueError, TypeError) as error:
        raise RecordInvalid(
            f"the notifications about {host} are unreadable ({error}); remove them ('{NOTIFIED}' of {_id(host)} in the "
            f"store). At worst, people are notified twice"
        ) from error


def remember(store: Store, clock: Clock, host: str, state: str) -> None:
    """A run that a trigger started for this host has ended, and nobody has to be notified."""
    known = recall(store, host)
    _write(store, known, replace(known, state=state, ended_at=clock.now()))


def remember_unknown(store: Store, clock: Clock, name: str) -> None:
    """A run that a trigger started for this name has ended, and nova knows no such host.

    A forged log names what it likes, so all such names together have one text, which holds the newest of them.
    """
    known = _unknown(store)
    newest = sorted({**known, _id(name): clock.now()}.items(), key=lambda item: item[1])[-MOST_UNKNOWN:]
    try:
        store.put(_id(UNKNOWN_NAMES), NOTIFIED, json.dumps(dict(newest), sort_keys=True))
    except StoreUnavailable:
        if _unknown(store) == known:  # otherwise another run was faster
            raise


def unknown_since(store: Store, name: str) -> str:
    """When nova was last seen not to know a host of this name; "" where it was not. Raises as `recall`."""
    return _unknown(store).get(_id(name), "")


def _unknown(store: Store) -> Dict[str, str]:
    try:
        found = json.loads(store.get(_id(UNKNOWN_NAMES), NOTIFIED))
        for at in found.values():
            _parse(at)
    except RecordNotFound:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordInvalid(
            f"what is remembered of unknown names is unreadable ({error}); remove it ('{NOTIFIED}' of "
            f"{_id(UNKNOWN_NAMES)} in the store)"
        ) from error
    return dict(found)


def notify_once(store: Store, clock: Clock, host: str, digest: str, state: str, send: Callable[[], None]) -> bool:
    """Send, unless people were notified of this digest, or another run is at it now. Whether it was sent.

    A `send` that raises leaves the intent behind: after PATIENCE seconds another run notifies.
    """
    known = recall(store, host)
    if digest in known.notified:
        remember(store, clock, host, state)
        return False
    if known.notifying == digest and age(clock, known.notifying_at) < PATIENCE:
        return False
    intent = replace(known, notifier=secrets.token_hex(8), notifying=digest, notifying_at=clock.now())
    if not _write(store, known, intent):
        return False
    clock.sleep(SETTLE)
    if recall(store, host).notifier != intent.notifier:
        return False
    send()
    _write(store, intent, _after_notifying(known, digest, state, clock.now()))
    return True


def age(clock: Clock, at: str) -> float:
    """Seconds since a time of Clock.now(); negative where another machine's clock is ahead."""
    return (_parse(clock.now()) - _parse(at)).total_seconds()


def _after_notifying(known: HostNotifications, digest: str, state: str, now: str) -> HostNotifications:
    notified = sorted({**known.notified, digest: now}.items(), key=lambda item: item[1])
    return HostNotifications(known.host, state, now, dict(notified[-MOST_DIGESTS:]))


def _write(store: Store, before: HostNotifications, after: HostNotifications) -> bool:
    """Whether it reads back; False where another run was faster by a hair, whose text stands then."""
    try:
        store.put(_id(after.host), NOTIFIED, json.dumps(asdict(after), sort_keys=True))
    except StoreUnavailable:
        if recall(store, after.host) in (before, after):
            raise
        return False
    return True


def _parsed(document: Any, host: str) -> HostNotifications:
    known = HostNotifications(**document)
    if known.host != host:
        raise ValueError(f"it belongs to {known.host}")
    times = [known.ended_at, known.notifying_at, *known.notified.values()]
    for at in filter(None, times):
        _parse(at)
    return known


def _parse(at: str) -> datetime:
    return datetime.strptime(at, TIME_FORMAT)


def _id(host: str) -> str:
    """An id as the store takes it; names of hosts have other characters."""
    return hashlib.sha256(host.encode()).hexdigest()[:32]
