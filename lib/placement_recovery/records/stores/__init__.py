"""Where recovery records are kept.

base       Store: what every store guarantees; the parts of a record
datastore  DatastoreStore: in StackStorm's datastore
files      FileStore: in a private folder
disk       the operating system calls of FileStore
"""

from __future__ import annotations

from typing import Any, Optional

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError
from placement_recovery.records.stores.base import NOTIFIED, PARTS, PROGRESS, SAVED, Store
from placement_recovery.records.stores.datastore import DatastoreService, DatastoreStore
from placement_recovery.records.stores.files import FileStore

__all__ = [
    "NOTIFIED", "PARTS", "PROGRESS", "SAVED", "DatastoreService", "DatastoreStore", "FileStore", "Store", "open_store",
]


def open_store(config: Config, action_service: Optional[Any] = None) -> Store:
    """Open the configured store. `action_service` is that of a StackStorm action.

    Raises ConfigurationError if the datastore is configured outside of StackStorm, or the folder cannot be used.
    """
    if config.store == "files":
        return FileStore(config.store_folder)
    if action_service is None:
        raise ConfigurationError(
            "store is datastore, which only actions run by StackStorm can reach; set store to files (and store_folder)"
        )
    # The list_values of the action service itself has no limit in StackStorm 3.8.
    return DatastoreStore(action_service.datastore_service)
