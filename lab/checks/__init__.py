"""Static checks of the pack: what StackStorm would refuse, or would accept and stumble over at the run.

``problems()`` (and ``python3 -m lab.checks``) can be called by any Python: the checks themselves run in the environment
that holds orquesta, and the library is asked for its SEQUENCES by the pack's own Python. StackStorm's rules are taken
from its source, whose file stands beside each.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from lab.environments import ensure

ROOT = Path(__file__).resolve().parents[2]
_ASK_SEQUENCES = """
import importlib, json, sys
methods = importlib.import_module(sys.argv[1] + ".recovery.methods").SEQUENCES
print(json.dumps({name: [[step.name, step.action] for step in steps] for name, steps in methods.items()}))
"""


def problems(pack: Path = ROOT, python: Path | None = None) -> list[str]:
    """One line a problem, none if the pack is right; ``python`` is the one that can import the pack's library."""
    command = [str(ensure("orquesta") / "bin" / "python"), "-m", "lab.checks.suite", str(pack.absolute())]
    methods = json.dumps(_methods(pack, python or ensure("pack") / "bin" / "python"))
    done = subprocess.run(
        command, input=methods, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"the checks themselves failed:\n{done.stderr}")
    return list(json.loads(done.stdout))


def _methods(pack: Path, python: Path) -> dict[str, list[list[str]]] | str:
    """Each method's steps as [task, action], or why the library could not be asked."""
    libraries = [path.parent.name for path in (pack / "lib").glob("*/__init__.py")]
    if len(libraries) != 1:
        return f"lib/ holds {len(libraries)} packages, not one"
    done = subprocess.run(
        [str(python), "-c", _ASK_SEQUENCES, libraries[0]],
        env={**os.environ, "PYTHONPATH": str(pack / "lib"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]
