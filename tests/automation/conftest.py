"""Actions as StackStorm's Python runner makes them: a configuration, a logger, and the datastore in a file."""

from __future__ import annotations

import pytest

from lab.stackstorm.triggers import PATH_VARIABLE
from placement_recovery.config import Config
from placement_recovery.recovery.context import open_context
from testkit.automatic import Automatic


@pytest.fixture
def automatic(cloud, tmp_path, monkeypatch):
    """Runs that a trigger starts on the test cloud, over one datastore."""
    datastore = tmp_path / "datastore.sqlite"
    monkeypatch.setenv(PATH_VARIABLE, str(datastore))
    return Automatic(cloud, datastore)


@pytest.fixture
def context(cloud):
    """A context as an action opens it, records in files of its own."""
    return open_context(Config.from_mapping(cloud.config()))
