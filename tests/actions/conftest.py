"""A datastore of each test's own, and configurations that use it."""

from __future__ import annotations

import pytest


@pytest.fixture
def datastore(tmp_path, monkeypatch):
    """The file of an empty datastore, which actions in this process find by the environment."""
    from st2common.services.datastore import PATH_VARIABLE  # of the stand-in only

    path = tmp_path / "datastore.sqlite"
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    return path


@pytest.fixture
def config(cloud, datastore):
    """The pack's configuration for the test cloud, its records in the datastore."""
    return cloud.config(store="datastore", provider_wait=60, periodic_wait=60)
