"""The configuration that the actions get."""

from __future__ import annotations

import pytest


@pytest.fixture
def config(cloud, datastore):
    """The pack's configuration for the test cloud, its records in the datastore."""
    return cloud.config(store="datastore", provider_wait=60, periodic_wait=60)
