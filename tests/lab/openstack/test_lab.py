"""The lab itself: that it works, and that nothing is left of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.environments import ROOT
from lab.openstack import faults
from lab.openstack.cloud import Lab
from lab.openstack.processes import marked
from lab.waiting import LabError, wait_until


@pytest.mark.lab
def test_servers_run_faults_come_about_and_nothing_is_left(tmp_path):
    """The newest nova: a boot, a fault with a live server, an outage, and the end."""
    with Lab("34", computes=("compute-0",), folder=tmp_path / "lab") as lab:
        server = lab.client.boot("web", "compute-0")
        fault = faults.database(lab, "compute-0")

        assert lab.client.provider("compute-0")["uuid"] == fault.stale_uuid != fault.new_uuid
        assert lab.client.allocations_of_provider(fault.stale_uuid) == {
            server: {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1}
        }
        assert "GET /resource_providers" in lab.log("placement").read_text()
        with pytest.raises(LabError, match="runs already"):
            lab.process("placement").start()

    assert list(marked(lab.folder)) == []
    assert not lab.folder.exists()


MANAGER = """
import pathlib, sys
from lab.openstack.cloud import Lab
with Lab(computes=(), folder=pathlib.Path(sys.argv[1])):
    print("up")
    sys.stdin.read()
"""


@pytest.mark.lab
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
def test_a_lab_ends_with_its_manager_however_that_ends(tmp_path, number):
    """Its guardian clears away what the manager could not."""
    folder = tmp_path / "lab"
    command = [sys.executable, "-u", "-c", MANAGER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as manager:
        try:
            assert manager.stdout.readline() == "up\n"
            assert len(list(marked(folder))) >= 5
        finally:
            manager.send_signal(number)

    wait_until("the guardian has done its work", lambda: not folder.exists() and not list(marked(folder)), 30)


@pytest.mark.lab
def test_a_start_that_is_terminated_clears_away_what_it_began(tmp_path):
    """``up`` leaves a lab behind on purpose, but never half of one."""
    folder = tmp_path / "lab"
    with subprocess.Popen([sys.executable, "-m", "lab", "up", "--folder", str(folder)], cwd=ROOT) as starting:
        try:
            wait_until("the first process runs", lambda: list(marked(folder)), 120)
        finally:
            starting.terminate()

    assert starting.returncode == 128 + signal.SIGTERM
    assert list(marked(folder)) == []
    assert not folder.exists()


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    """It could be anything."""
    (tmp_path / "precious").touch()

    with pytest.raises(LabError, match="is not empty"):
        Lab(folder=tmp_path).up()
    assert (tmp_path / "precious").exists()


def test_down_without_a_lab_says_how_to_start_one(tmp_path):
    """The command line's error is one line."""
    command = [sys.executable, "-m", "lab", "down", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: there is no lab in {tmp_path}; start one with: python3 -m lab up")


def test_an_unknown_release_is_refused():
    """With those there are."""
    with pytest.raises(LabError, match="no lab with nova '99'; there are: 26, 30, 32, 34"):
        Lab("99", folder=Path("/nowhere"))
