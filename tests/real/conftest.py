"""The operator of a lab; each release's folder brings the lab."""

from __future__ import annotations

import pytest

from lab.stackstorm.installation import StackStorm
from testkit.operator import Operator

pytest.register_assert_rewrite("testkit.transplant_stories")


@pytest.fixture(scope="module")
def operator(lab, request, tmp_path_factory):
    """Who recovers the host of one story, which comes to the lab now."""
    host = request.module.HOST
    lab.add_compute(host, options=getattr(request.module, "HOST_OPTIONS", None))
    lab.wait_for_hypervisor(host)
    lab.wait_for_provider(host)
    return Operator(StackStorm(lab, tmp_path_factory.mktemp("stackstorm") / "datastore.sqlite"))


_STANDING = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """A release's lab ends with its last story: its periodics would take time from all that comes after them."""
    folder = item.path.parent
    if "lab" in item.funcargs:  # the last story may be one that is skipped
        _STANDING[folder] = item.funcargs["lab"]
    yield
    if folder in _STANDING and (nextitem is None or nextitem.path.parent != folder):
        _STANDING.pop(folder).down()
