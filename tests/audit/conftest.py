"""Audits of the test cloud; whatever is found, nothing is written."""

from __future__ import annotations

import pytest

from lab.stackstorm.triggers import PATH_VARIABLE
from testkit.auditor import Auditor, lock_of
from testkit.rows import new_uuid


@pytest.fixture(scope="module")
def alone(cloud):
    """An audit looks at no more than a hundred providers of no compute node: other modules' are nova's no longer."""
    for provider in cloud.placement.get("/resource_providers?required=COMPUTE_NODE")["resource_providers"]:
        cloud.set_traits(provider["uuid"], cloud.traits(provider["uuid"]) - {"COMPUTE_NODE"})


@pytest.fixture
def auditor(cloud, alone, tmp_path, monkeypatch):
    """Audits as the action does; Placement's and nova-api's own logs show that nothing was written."""
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "datastore.sqlite"))
    marks = cloud.placement_mark(), cloud.nova_mark()
    yield Auditor(cloud, tmp_path / "datastore.sqlite")
    assert cloud.placement_writes_since(marks[0]) == []
    assert cloud.nova_writes_since(marks[1]) == []


@pytest.fixture
def recovery(cloud):
    """An id that no other test has; its lock is gone afterwards."""
    recovery = new_uuid().replace("-", "")[:10]
    yield recovery
    lock, placement = lock_of(recovery), cloud.placement
    if lock in placement.get(f"/traits?name=startswith:{lock}")["traits"]:
        for provider in placement.get(f"/resource_providers?required={lock}")["resource_providers"]:
            cloud.set_traits(provider["uuid"], cloud.traits(provider["uuid"]) - {lock})
        placement.call("DELETE", f"/traits/{lock}")
