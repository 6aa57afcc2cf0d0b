"""`make chaos`: the longer run. Prints its seed, and in the last line what was tried and what failed.

The same seed tries the same points and topologies again; --stride 1 goes to every point.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from testkit.chaos.tally import POINT, TOPOLOGY

FOLDER = Path(__file__).resolve().parents[2] / "chaos"


def main() -> int:
    """Run the tests of this folder with these numbers; the status of the run."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--stride", type=int, required=True, help="each which point is tried")
    parser.add_argument("--examples", type=int, required=True, help="how many topologies")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    _say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tally"
        file.touch()
        status = _tests(given, file)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
    _report(given.seed, lines)
    return status or int(any(problem for _, problem in lines))


def _tests(given: argparse.Namespace, file: Path) -> int:
    """Two at a time, each file with a cloud of its own."""
    names = {"STRIDE": given.stride, "EXAMPLES": given.examples, "FILE": file, "SEED": given.seed}
    chosen = {f"PLACEMENT_RECOVERY_CHAOS_{name}": str(value) for name, value in names.items()}
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", f"--hypothesis-seed={given.seed}"]
    environment = {**os.environ, "PLACEMENT_RECOVERY_LAB": "1", **chosen}
    return subprocess.run([*command, str(FOLDER)], env=environment).returncode


def _report(seed: int, lines: List[List[str]]) -> None:
    counts: Dict[str, List[int]] = {POINT: [0, 0], TOPOLOGY: [0, 0]}
    for kind, problem in lines:
        counts[kind][0] += 1
        counts[kind][1] += bool(problem)
        if problem:
            _say(problem)
    told = " and ".join(f"{ran} {kind} ({failed} failed)" for kind, (ran, failed) in counts.items())
    _say(f"seed {seed}: {told}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
