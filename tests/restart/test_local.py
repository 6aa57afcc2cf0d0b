"""Restarts on the machine that runs the action."""

from __future__ import annotations

import socket

import pytest

from placement_recovery.config import Config
from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import is_this_machine
from placement_recovery.restart.restarter import Restarter


@pytest.fixture
def on_path(programs, monkeypatch):
    """Made-up programs that come first on this machine's PATH."""
    monkeypatch.setenv("PATH", programs.path)
    return programs


def local(**options):
    """Build a configuration for restarts on this machine, which nova calls compute-0."""
    values = {"restart_how": "systemd", "restart_where": "local", "restart_timeout": 30}
    return Config.from_mapping({**values, "ssh_targets": {"compute-0": "localhost"}, **options})


def test_a_local_unit_is_restarted(on_path):
    """No ssh is needed, the commands are the same."""
    on_path.add_systemd()
    restarter = Restarter(local())
    assert "compute-0 (this machine) is inactive" in restarter.probe("compute-0")
    assert on_path.state("active") == "inactive"
    assert "is active" in restarter.restart("compute-0")
    assert on_path.state("active") == "active"


def test_a_local_command_gets_its_arguments_without_a_shell(on_path):
    """A command may reach any host."""
    on_path.add("restart-it", "exit 0")
    config = local(restart_how="command", restart_command=["restart-it", "{host}", "$(x)", "a b"])
    Restarter(config).restart("compute-7")
    assert on_path.calls == [["restart-it", "compute-7", "$(x)", "a b"]]


def test_a_missing_local_program_is_reported(on_path):
    """The same sentence as over SSH."""
    restarter = Restarter(local(restart_how="command", restart_command=["not-there"]))
    with pytest.raises(HostFailure, match=r"compute-0 \(this machine\): not-there is missing"):
        restarter.probe("compute-0")
    with pytest.raises(HostFailure, match="not-there is missing"):
        restarter.restart("compute-0")


def test_a_local_file_that_is_not_executable_is_reported(on_path):
    """The status is 126, as in a shell."""
    (on_path.folder / "text").write_text("no program")
    restarter = Restarter(local(restart_how="command", restart_command=[str(on_path.folder / "text")]))
    with pytest.raises(HostFailure, match="cannot be executed"):
        restarter.restart("compute-0")


def test_a_local_command_that_hangs_is_stopped(on_path):
    """restart_timeout applies here too."""
    on_path.add("restart-it", "sleep 60")
    restarter = Restarter(local(restart_how="command", restart_command=["restart-it"], restart_timeout=1))
    with pytest.raises(HostFailure, match="did not end within 1 s"):
        restarter.restart("compute-0")


@pytest.mark.parametrize("call", ["probe", "restart"])
def test_another_host_is_not_restarted_locally(on_path, call):
    """This machine's nova-compute is not that of compute-7."""
    on_path.add_systemd()
    with pytest.raises(HostFailure, match="compute-7 is not this machine"):
        getattr(Restarter(local()), call)("compute-7")
    assert on_path.calls == []


@pytest.mark.parametrize(
    ("host", "mine", "same"),
    [
        ("aio", "aio", True),
        ("AIO", "aio.example.org", True),
        ("aio.example.org", "aio", True),
        ("aio.one.org", "aio.two.org", False),
        ("aio1", "aio", False),
    ],
)
def test_a_host_is_this_machine_by_its_name(monkeypatch, host, mine, same):
    """A missing domain makes no difference, a different one does."""
    monkeypatch.setattr(socket, "gethostname", lambda: mine)
    assert is_this_machine(host, {}) is same
