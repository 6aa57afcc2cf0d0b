"""What all tests share: the path of the tests' own modules, StackStorm's names, and one test cloud a session."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
# Neither StackStorm's own test runner nor an editor reads pyproject.toml from elsewhere.
for folder in (ROOT, ROOT / "lib", ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from lab.stackstorm import standin  # noqa: E402 - the path comes first
from lab.stackstorm.triggers import PATH_VARIABLE  # noqa: E402

standin.install()

# The same examples on every run, on machines of any speed: chance is for the fuzz runs.
settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fixed")

# These drive the lab itself, which runs on Python 3.11 and later; the pack's other tests run where the pack does.
NEED_THE_LAB = (
    "lab", "real", "pack/rules", "pack/aliases/test_alias_checks.py", "pack/aliases/test_conversation.py",
    "detection/test_log_sensor.py", "automation/test_recover_host.py",
)
collect_ignore = list(NEED_THE_LAB) if sys.version_info < (3, 11) else []

LAB_WANTED = os.environ.get("PLACEMENT_RECOVERY_LAB") == "1"
LONG_WANTED = os.environ.get("PLACEMENT_RECOVERY_LONG") == "1"


def pytest_configure(config):
    """Declare the marks also where pyproject.toml is not read."""
    config.addinivalue_line("markers", "placement: needs a real Placement and nova-api (the lab without computes)")
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker has to have together")
    config.addinivalue_line("markers", "lab: needs a whole lab with nova-compute")
    config.addinivalue_line("markers", "long: one of many cases of a test, or takes minutes; `make test-all` runs it")


# What takes longest comes first, so that the workers end together. One worker has all tests of a group: a release's lab
# is started once. Those that share nothing go wherever there is time.
LONGEST = (
    "real/nova_34", "chaos/test_marches.py", "real/nova_26", "real/nova_32", "real/nova_30", "entry/test_workflows.py",
    "chaos/test_model.py", "pack/rules/test_crowd.py", "recovery/test_api_faults.py", "lab/test_environments.py",
    "lab/stackstorm/test_runner_workflows.py", "lab/openstack/test_lab.py", "automation/test_recover_host.py",
)  # fmt: skip
SHARE_NOTHING = ("chaos/test_marches.py", "lab/test_environments.py")


def _place(item):
    """The test's file below tests/, or the folder or file of LONGEST that it is in."""
    path = item.path.relative_to(ROOT / "tests").as_posix()
    return next((one for one in LONGEST if path.startswith(one)), path)


def _by_length(items):
    order = {place: number for number, place in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_place(item), len(order)))


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    """What uses the test cloud needs a lab, which `make test` allows; StackStorm's pack tests go without."""
    _by_length(items)
    skip = pytest.mark.skip(reason="needs a lab: run it by `make test`, or set PLACEMENT_RECOVERY_LAB=1")
    for item in items:
        if _place(item) not in SHARE_NOTHING:
            item.add_marker(pytest.mark.xdist_group(_place(item)))
        if "cloud" in getattr(item, "fixturenames", ()):
            item.add_marker("placement")
        if not LONG_WANTED and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes long: run it by `make test-all`"))
        if not LAB_WANTED and (item.get_closest_marker("placement") or item.get_closest_marker("lab")):
            item.add_marker(skip)


_RUNNING = []


@pytest.fixture(scope="session")
def cloud():
    """A real Keystone, Placement and nova-api, started when the first test asks for them."""
    from testkit.cloud import Cloud

    with Cloud() as cloud:
        _RUNNING.append(cloud)
        yield cloud
        _RUNNING.remove(cloud)


@pytest.fixture
def datastore(tmp_path, monkeypatch):
    """The file of a test's own datastore, and of the triggers that went out; found by the environment."""
    path = tmp_path / "datastore.sqlite"
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    return path


@pytest.fixture(scope="module", autouse=True)
def _hosts_go_with_their_module():
    """nova-api needs 10 ms and more for each host or server that it lists, so a session's would slow down all of it."""
    yield
    for cloud in _RUNNING:
        cloud.forget_hosts()
        cloud.forget_servers()
