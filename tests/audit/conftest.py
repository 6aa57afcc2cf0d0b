"""Audits of the test cloud; whatever is found, nothing is written."""

from __future__ import annotations

import pytest

from tests.audit.auditor import Auditor


@pytest.fixture
def auditor(cloud, tmp_path, monkeypatch):
    """Audits as the action does; Placement's and nova-api's own logs show that nothing was written."""
    monkeypatch.setenv("PLACEMENT_RECOVERY_LAB_DATASTORE", str(tmp_path / "datastore.sqlite"))
    marks = cloud.placement_mark(), cloud.nova_mark()
    yield Auditor(cloud, tmp_path / "datastore.sqlite")
    assert cloud.placement_writes_since(marks[0]) == []
    assert cloud.nova_writes_since(marks[1]) == []
