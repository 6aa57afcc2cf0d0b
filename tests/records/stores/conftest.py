"""Both stores, for the tests of what both guarantee."""

from __future__ import annotations

import pytest

from placement_recovery.records.stores import DatastoreStore, FileStore
from testkit.stores.service import Service


@pytest.fixture
def service():
    """StackStorm's datastore service, empty and without faults."""
    return Service()


@pytest.fixture
def folder(tmp_path):
    """The path of a folder for records, which does not exist yet."""
    return str(tmp_path / "records")


@pytest.fixture(params=["files", "datastore"])
def store(request, folder, service):
    """An empty store of each kind."""
    return FileStore(folder) if request.param == "files" else DatastoreStore(service)
