"""What the tests of recoveries share: a context a test, and looks at what must never be left behind."""

from __future__ import annotations

import pytest
from .driving import open_hasty


@pytest.fixture
def context(cloud):
    """A context of its own, records in files of its own."""
    return open_hasty(cloud.config(provider_wait=60, periodic_wait=60))
