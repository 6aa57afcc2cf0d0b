"""Static checks of the pack: what StackStorm would refuse, or would accept and fail on at runtime.

Any Python can call ``problems()`` and ``write_readme()`` (or ``python3 -m lab.checks``): they run the checks in the
environment that has orquesta, and import the library's SEQUENCES with the pack's own Python. StackStorm's rules are
taken from its source; a comment names the file.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.environments import ensure

ROOT = Path(__file__).resolve().parents[2]
_PRINT_SEQUENCES = """
import importlib, json, sys
methods = importlib.import_module(sys.argv[1] + ".recovery.methods").SEQUENCES
print(json.dumps({name: [[step.name, step.action] for step in steps] for name, steps in methods.items()}))
"""


def problems(pack: Path = ROOT, python: Path | None = None) -> list[str]:
    """One line per problem, none if the pack is right; ``python`` is one that can import the pack's library."""
    return problems_of([pack], python)[0]


def problems_of(packs: Sequence[Path], python: Path | None = None) -> list[list[str]]:
    """The problems of each of these packs; one process checks them all."""
    return list(json.loads(_run("lab.checks.suite", [_request(pack, python) for pack in packs])))


def write_readme(pack: Path = ROOT, python: Path | None = None) -> None:
    """Write the tables of what is in the pack into its README.md, between the markers."""
    _run("lab.checks.inventory", _request(pack, python))


def _request(pack: Path, python: Path | None) -> list[Any]:
    """A pack's folder, and its SEQUENCES or why they cannot be had."""
    return [str(pack.absolute()), _methods(pack, python or ensure("pack") / "bin" / "python")]


def _run(module: str, request: Any) -> str:
    """Run a module of this package in the environment that has orquesta; its standard output."""
    done = subprocess.run(
        [str(ensure("orquesta") / "bin" / "python"), "-m", module],
        input=json.dumps(request),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr}")
    return done.stdout


def _methods(pack: Path, python: Path) -> dict[str, list[list[str]]] | str:
    """Each method's steps as [task, action], or why they could not be imported."""
    libraries = [path.parent.name for path in (pack / "lib").glob("*/__init__.py")]
    if len(libraries) != 1:
        return f"lib/ has {len(libraries)} packages, not one"
    done = subprocess.run(
        [str(python), "-c", _PRINT_SEQUENCES, libraries[0]],
        env={**os.environ, "PYTHONPATH": str(pack / "lib"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]
