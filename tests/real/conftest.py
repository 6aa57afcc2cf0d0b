"""The operator of a lab; each release's folder brings the lab."""

from __future__ import annotations

import pytest

from lab.stackstorm.installation import StackStorm
from testkit.operator import Operator

pytest.register_assert_rewrite("testkit.transplant_stories")

from testkit.transplant_stories import ELSEWHERE, recover_watched  # noqa: E402 - its asserts are rewritten first
from testkit.transplants import make_children  # noqa: E402


@pytest.fixture(scope="module")
def operator(lab, request, tmp_path_factory):
    """Who recovers the host of one story, which comes to the lab now."""
    host = request.module.HOST
    lab.add_compute(host, options=getattr(request.module, "HOST_OPTIONS", None))
    lab.wait_for_hypervisor(host)
    lab.wait_for_provider(host)
    return Operator(StackStorm(lab, tmp_path_factory.mktemp("stackstorm") / "datastore.sqlite"))


@pytest.fixture(scope="module")
def host(operator, request):
    """The story's host, with children, four servers, and the source part of a move that is not confirmed."""
    name = request.module.HOST
    make_children(operator, name)
    servers = operator.client.boot_many(("live-1", "live-2", "live-3", "moved"), name)
    operator.client.boot("vgpu", name, flavor="vgpu")
    operator.client.migrate(servers["moved"], ELSEWHERE)
    return name


@pytest.fixture(scope="module")
def running(operator, host, request):
    """Its recovery while servers run and others boot."""
    return recover_watched(operator, request.module.FAULT(operator.lab, host))


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
