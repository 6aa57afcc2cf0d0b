"""The cache of virtual environments."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from lab import environments
from lab.environments import ROOT, InstallError, Recipe


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the test's own."""
    monkeypatch.setenv("PLACEMENT_RECOVERY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def nothing(tmp_path, monkeypatch, cache):
    """An environment named ``nothing`` that has no package: it needs no registry. Gives its file of requirements."""
    requirements = tmp_path / "nothing.txt"
    requirements.write_text("# no package\n")
    monkeypatch.setitem(environments.RECIPES, "nothing", Recipe("nothing", (str(requirements),)))
    return requirements


def test_other_pins_are_another_environment(nothing):
    """The key is over the content of the files."""
    before = environments.folder_of("nothing")
    nothing.write_text("# still no package\n")

    assert environments.folder_of("nothing") != before


def test_the_cache_is_where_the_user_wants_it(cache, monkeypatch, tmp_path):
    """The project's own variable, then XDG's, then the home folder."""
    named = environments.cache_folder()
    monkeypatch.delenv("PLACEMENT_RECOVERY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))

    assert (named, environments.cache_folder()) == (cache, tmp_path / "xdg" / "placement_recovery")


def test_an_interrupted_install_is_never_used_and_a_finished_one_always(nothing, capsys):
    """A folder without the marker is made again; with it, nothing is done and nothing is said."""
    folder = environments.folder_of("nothing")
    folder.mkdir(parents=True)
    (folder / "half").touch()

    first, said = environments.ensure("nothing"), capsys.readouterr().err
    second, then = environments.ensure("nothing"), capsys.readouterr().err

    assert first == second == folder
    assert (folder / "bin" / "python").exists()
    assert not (folder / "half").exists()
    assert said.startswith("installing nothing: ")
    assert then == ""


def test_two_at_once_install_once(nothing, tmp_path):
    """The other one waits, and says so."""
    script = tmp_path / "ensure.py"
    script.write_text(
        "from lab import environments\n"
        f"environments.RECIPES['nothing'] = environments.Recipe('nothing', ({str(nothing)!r},))\n"
        "print(environments.ensure('nothing'))\n"
    )
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
    folders, said = zip(*(process.communicate(timeout=60) for process in processes))

    assert len(set(folders)) == 1
    assert "".join(said).count("installing nothing: ") == 1


def test_an_unknown_name_is_refused():
    """With the names there are."""
    with pytest.raises(InstallError, match=r"no environment 'nova-99'.*nova-34"):
        environments.ensure("nova-99")


def test_a_python_that_the_pins_are_not_for_is_named(nothing, monkeypatch):
    """The pins are for certain versions; pip's own words on that would help nobody."""
    recipe = Recipe("old", (str(nothing),), pythons=((2, 7), (3, 7)))
    monkeypatch.setitem(environments.RECIPES, "old", recipe)

    with pytest.raises(InstallError, match=r"pins are for Python 2\.7 to 3\.7, this is 3\."):
        environments.ensure("old")


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (
            "error: command 'gcc' failed: No such file\nERROR: Failed building wheel for netifaces\n",
            "netifaces has no wheel .* needs a C compiler",
        ),
        ("fatal error: Python.h: No such file or directory\n", "needs a C compiler"),
        ("WARNING: NewConnectionError('...: Failed to establish a new connection')\n", "registry cannot be reached"),
        ("ERROR: Could not find a version of ruff (from versions: none)\n", "registry cannot be reached"),
        (
            "ERROR: No matching distribution found for nova==99\n",
            "pip failed: No matching distribution found for nova==99",
        ),
    ],
)
def test_the_cause_of_a_failed_install_is_one_sentence(tmp_path, log, why):
    """Taken from what pip said."""
    file = tmp_path / "log"
    file.write_text(log)

    message = environments.why(file)

    assert "\n" not in message
    assert re.search(why, message)


def test_a_failed_install_leaves_no_marker_and_one_line(nothing, capsys):
    """The command line ends with 1 and ``error:``."""
    nothing.write_text("no such requirement ==== 1\n")

    assert environments.main(["nothing"]) == 1
    assert not (environments.folder_of("nothing") / environments.MARKER).exists()
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: nothing: pip failed: ")


@pytest.mark.parametrize("name", ["nova-26", "nova-30", "nova-32", "nova-34"])
def test_a_lab_is_pinned_to_the_last_package(name):
    """Nothing is resolved at install time, so nothing changes under a key."""
    lines = (ROOT / "lab" / "pins" / f"{name}.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", "-"))]

    assert all("==" in package for package in packages)
    assert len({package.split("==")[0].lower() for package in packages}) == len(packages)
