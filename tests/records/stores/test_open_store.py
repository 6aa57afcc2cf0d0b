"""Which store the configuration opens."""

from __future__ import annotations

import pytest

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError
from placement_recovery.records.stores import SAVED, open_store


def test_files_are_opened_in_the_configured_folder(folder):
    """They need no service of StackStorm."""
    config = Config(store="files", store_folder=folder)
    open_store(config).add("a", SAVED, "text")
    assert open_store(config).get("a", SAVED) == "text"


def test_the_datastore_is_opened_with_the_service_of_the_action(service):
    """The service is a parameter; the library imports nothing of StackStorm."""
    open_store(Config(store="datastore"), service).add("a", SAVED, "text")
    assert list(service.values.values()) == ["text"]


def test_the_datastore_outside_of_stackstorm_is_refused():
    """The message says what to set."""
    with pytest.raises(ConfigurationError, match="set store to files"):
        open_store(Config(store="datastore"))
