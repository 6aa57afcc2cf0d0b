"""What a plan has read of a stale provider's consumers, kept for the recovery that follows it in another process.

Placement shows what a consumer holds elsewhere only one by one. The recovery reads anew those alone whose generation
moved since. Nothing depends on it: what is absent, too old or not as it was written is read from Placement again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Dict, Iterable

from placement_recovery.clock import TIME_FORMAT, Clock
from placement_recovery.cloud.model import Consumer, as_dict
from placement_recovery.errors import RecordInvalid, RecordNotFound
from placement_recovery.records.document import checksum, dumps, trusted
from placement_recovery.records.stores.base import PLANNED, Store

# Of the document's format.
VERSION = 1
# Seconds. A person approves within minutes; what changed since is read anew however old this is.
MOST_AGE = 900


def keep_planned(store: Store, clock: Clock, provider_uuid: str, consumers: Iterable[Consumer]) -> None:
    """Keep what was just read of the consumers of a stale provider; a later plan for it replaces it."""
    key = _key(provider_uuid)
    held = [as_dict(one) for one in consumers]
    document = {"id": key, "version": VERSION, "taken_at": clock.now(), "consumers": held}
    store.put(key, PLANNED, dumps(PLANNED, {**document, "checksum": checksum(document)}))


def planned_consumers(store: Store, clock: Clock, provider_uuid: str) -> Dict[str, Consumer]:
    """By UUID, what a plan read of them lately; empty where none did. Raises StoreUnavailable."""
    key = _key(provider_uuid)
    try:
        document = trusted(PLANNED, key, store.get(key, PLANNED))
    except (RecordNotFound, RecordInvalid):  # all is read from Placement then
        return {}
    if not 0 <= _age(clock, document["taken_at"]) <= MOST_AGE:
        return {}
    return {one["uuid"]: Consumer.from_dict(one) for one in document["consumers"]}


def forget_planned(store: Store, provider_uuid: str) -> None:
    """Remove it, once a recovery has saved the consumers."""
    store.forget(_key(provider_uuid), PLANNED)


def purge_planned(store: Store, clock: Clock) -> None:
    """Remove all that are too old to be used: their plans were never carried out."""
    for key in store.ids(PLANNED):
        if not planned_consumers(store, clock, key):
            store.forget(key, PLANNED)


def _key(provider_uuid: str) -> str:
    return provider_uuid.replace("-", "").lower()


def _age(clock: Clock, at: str) -> float:
    return (datetime.strptime(clock.now(), TIME_FORMAT) - datetime.strptime(at, TIME_FORMAT)).total_seconds()
