"""The operator of a lab; each release's folder brings the lab."""

from __future__ import annotations

import pytest

from lab.stackstorm.installation import StackStorm
from testkit.operator import Operator


@pytest.fixture(scope="module")
def operator(lab, tmp_path_factory):
    """Who recovers the host of one story."""
    return Operator(StackStorm(lab, tmp_path_factory.mktemp("stackstorm") / "datastore.sqlite"))
