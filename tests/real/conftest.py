"""The operator of a lab; each release's folder brings the lab."""

from __future__ import annotations

import pytest

from real.operator import Operator


@pytest.fixture(scope="module")
def operator(lab, tmp_path_factory):
    """Who recovers hosts; at the end of a story its servers go."""
    operator = Operator(lab, tmp_path_factory.mktemp("stackstorm") / "datastore.sqlite")
    yield operator
    operator.clear()
