"""Virtual environments of the project, kept in a cache outside of the clone and keyed by what goes into them.

``ensure(name)`` gives the folder of a finished environment and installs it first where need be;
``python3 -m lab.environments NAME...`` does the same and prints the folders on stdout.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lab.locking import exclusive

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = "1"  # part of each key: raise it when the way of installing changes
MARKER = ".finished"
PROGRESS_SECONDS = 15.0


class InstallError(Exception):
    """An environment could not be made; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """What an environment is made of: requirement files, and whether they are a full set of pins."""

    name: str
    requirements: tuple[str, ...]
    full_pins: bool = False
    pythons: tuple[tuple[int, int], tuple[int, int]] = ((3, 8), (3, 99))
    minutes: int = 1


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("pack", ("requirements.txt", "requirements-tests.txt")),
        Recipe("lint", ("requirements-lint.txt", "requirements.txt")),
        Recipe("orquesta", ("lab/pins/orquesta.txt",)),
        Recipe("nova-26", ("lab/pins/nova-26.txt",), True, ((3, 11), (3, 11)), 3),
        Recipe("nova-30", ("lab/pins/nova-30.txt",), True, ((3, 11), (3, 11)), 4),
        Recipe("nova-32", ("lab/pins/nova-32.txt",), True, ((3, 11), (3, 11)), 4),
        Recipe("nova-34", ("lab/pins/nova-34.txt",), True, ((3, 11), (3, 13)), 3),
    )
}


def cache_folder() -> Path:
    """Where everything that outlives a run is kept: outside of the clone, never below it."""
    named = os.environ.get("PLACEMENT_RECOVERY_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named).resolve() if named else Path(base) / "placement_recovery"


def key_of(recipe: Recipe) -> str:
    """Twelve hex digits over the requirement files, the interpreter and the installer."""
    digest = hashlib.sha256()
    interpreter = f"{platform.python_implementation()} {sys.version_info[:2]} {sys.base_prefix}"
    for part in (INSTALLER, interpreter, platform.machine(), str(recipe.full_pins)):
        digest.update(part.encode() + b"\0")
    for name in recipe.requirements:
        digest.update((ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def folder_of(name: str) -> Path:
    """The folder that the named environment has or will have."""
    return cache_folder() / "environments" / f"{name}-{key_of(recipe_of(name))}"


def recipe_of(name: str) -> Recipe:
    """The recipe of a name; InstallError for an unknown name, a missing file or a Python that is out of range."""
    if name not in RECIPES:
        raise InstallError(f"there is no environment {name!r}; there are: {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    missing = [file for file in recipe.requirements if not (ROOT / file).is_file()]
    if missing:
        raise InstallError(f"{name}: the file {missing[0]} is missing from {ROOT}")
    low, high = recipe.pythons
    if not low <= sys.version_info[:2] <= high:
        fits = " to ".join(dict.fromkeys(f"{major}.{minor}" for major, minor in recipe.pythons))
        raise InstallError(
            f"{name}: its pins are for Python {fits}, this is {platform.python_version()} "
            f"({sys.executable}); run it with another python3"
        )
    return recipe


def ensure(name: str) -> Path:
    """The folder of the finished environment ``name``; installs it first where it is not there yet.

    Two at once wait for each other; an interrupted install is thrown away and done again.
    """
    recipe, folder = recipe_of(name), folder_of(name)
    if (folder / MARKER).exists():
        return folder
    waiting = f"{name} is being installed by another process; waiting for it"
    with exclusive(folder.with_suffix(".lock"), waiting) as lock:
        if not (folder / MARKER).exists():
            _install(recipe, folder, lock)
    return folder


def _install(recipe: Recipe, folder: Path, lock: IO[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    log, started = folder.with_suffix(".log"), time.monotonic()
    _say(f"installing {recipe.name}: {_extent(recipe)}, takes about {_minutes(recipe)}, log: {log}")
    with log.open("w", encoding="utf-8") as out:
        _make_venv(recipe, folder, out, lock)
        # What has no wheel here is built from its sdist, which needs no compiler if it is pure Python.
        attempts = (["--only-binary", ":all:"], ["--prefer-binary"])
        if not any(_pip(recipe, folder, options, out, lock) for options in attempts):
            out.flush()
            raise InstallError(f"{recipe.name}: {why(log)}")
    (folder / MARKER).touch()
    _say(f"installed {recipe.name} in {time.monotonic() - started:.0f} s")


def _make_venv(recipe: Recipe, folder: Path, out: IO[str], lock: IO[str]) -> None:
    command = [sys.executable, "-m", "venv", str(folder)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=(lock.fileno(),)
    )
    out.write(done.stdout)
    if done.returncode == 0:
        return
    if "ensurepip" in done.stdout or "No module named venv" in done.stdout:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise InstallError(
            f"{recipe.name}: this Python has no working venv module; install it (on Debian and Ubuntu: "
            f"the package {package}) or run another python3"
        )
    raise InstallError(f"{recipe.name}: making the environment in {folder} failed: {_last_line(done.stdout)}")


def _pip(recipe: Recipe, folder: Path, options: list[str], out: IO[str], lock: IO[str]) -> bool:
    """One run of pip; it holds the lock too, so that it is never overtaken should this process be killed."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--no-input", *options]
    command += ["--progress-bar", "off", "--disable-pip-version-check"]
    command += ["--no-deps"] if recipe.full_pins else []
    for name in recipe.requirements:
        command += ["-r", str(ROOT / name)]
    out.write(f"$ {' '.join(command)}\n")
    out.flush()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=(lock.fileno(),)
    ) as pip:
        try:
            _follow(recipe, pip, out)
        except BaseException:
            pip.terminate()
            raise
    return pip.returncode == 0


def _follow(recipe: Recipe, pip: subprocess.Popen[str], out: IO[str]) -> None:
    """Copies pip's output to the log and tells now and then how far it is."""
    started = told = time.monotonic()
    found, stage = 0, "fetching more"
    for line in pip.stdout or ():
        out.write(line)
        found += line.startswith(("Collecting ", "Processing "))
        if line.startswith("Installing collected packages"):
            stage, told = "unpacking them", 0.0
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            _say(f"  {recipe.name}: {found} packages found, {stage} ({told - started:.0f} s)")


def why(log: Path) -> str:
    """The cause of pip's failure in one sentence, from its log."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if re.search(r"command '?\S*(gcc|cc|clang|g\+\+|c\+\+|cargo|rustc)'? failed|unable to execute|Python\.h", text):
        package = (re.findall(r"Failed (?:to build|building wheel for) (\S+)", text) or ["a package"])[-1]
        return (
            f"{package} has no wheel for Python {platform.python_version()} on {platform.machine()} and building "
            f"it needs a C compiler and Python's headers, which are missing or failed; see {log}"
        )
    if re.search(r"NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|from versions: none", text):
        return f"the package registry cannot be reached; check the network and pip's index settings; see {log}"
    errors = re.findall(r"^ERROR: (.+)$", text, re.MULTILINE)
    return f"pip failed: {errors[-1] if errors else _last_line(text)}; see {log}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _extent(recipe: Recipe) -> str:
    if not recipe.full_pins:
        return f"what {' and '.join(recipe.requirements)} name"
    text = (ROOT / recipe.requirements[0]).read_text(encoding="utf-8")
    return f"{len(re.findall(r'^[A-Za-z0-9_.-]+==', text, re.MULTILINE))} packages"


def _minutes(recipe: Recipe) -> str:
    return f"{recipe.minutes} minute{'s' if recipe.minutes > 1 else ''}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if all environments are there, 1 with one line on stderr if one is not."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.environments", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"one of {', '.join(RECIPES)}")
    try:
        for name in parser.parse_args(arguments).names:
            print(ensure(name))
    except InstallError as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the next run starts this install again")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
