"""Functions that test_file_store.py runs in processes of their own, which import them by name."""

from __future__ import annotations

import resource

from placement_recovery.errors import RecordExists, StoreUnavailable
from placement_recovery.records.stores import PROGRESS, SAVED, FileStore


def add_all(folder, name, recovery_ids, barrier, results):
    """Add the same ids at the same moments as the other writers; report those that this one won."""
    store = FileStore(folder)
    won = []
    for recovery_id in recovery_ids:
        barrier.wait(timeout=60)
        try:
            store.add(recovery_id, SAVED, name * 50_000)
            won.append(recovery_id)
        except RecordExists:
            continue
    results.put((name, won))


def put_often(folder, texts, times):
    """Overwrite one record repeatedly."""
    store = FileStore(folder)
    for number in range(times):
        store.put("a", PROGRESS, texts[number % len(texts)])


def put_with_limit(folder, text, limit, results):
    """Put a text with a file size limit of `limit` bytes; report the error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        FileStore(folder).put("a", PROGRESS, text)
        results.put("no error")
    except StoreUnavailable as error:
        results.put(str(error))
