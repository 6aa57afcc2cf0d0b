"""`make chaos`: the longer run. Prints its seed, and in the last line what was asked for, tried and failed.

The same seed, method and shard try the same points and topologies again; --stride 1 goes to every point, and all
shards together to everything that one run without shards would try.
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
from typing import Any, List

from testkit.chaos.tally import ALL_METHODS, KINDS, Shard, result

FOLDER = Path(__file__).resolve().parents[2] / "chaos"


def main() -> int:
    """Run the tests of this folder with these numbers; the status of the run."""
    given = _arguments()
    _say(_called(given))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tally"
        file.touch()
        status = _tests(given, file)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
    whole = _report(given, lines)
    return status or int(not whole)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--stride", type=int, required=True, help="each which point is tried")
    parser.add_argument("--examples", type=int, required=True, help="how many topologies, in all shards together")
    parser.add_argument("--method", choices=(*ALL_METHODS, "all"), default="all")
    parser.add_argument("--shard", type=Shard.from_text, default=Shard(), metavar="K/N", help="a part of it all")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time, each with a cloud of its own")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    return parser.parse_args()


def _called(given: argparse.Namespace) -> str:
    return f"seed {given.seed}, method {given.method}, shard {given.shard}"


def _tests(given: argparse.Namespace, file: Path) -> int:
    names = {
        "STRIDE": given.stride, "EXAMPLES": given.examples, "FILE": file, "SEED": given.seed,
        "METHOD": given.method, "SHARD": given.shard,
    }
    chosen = {f"PLACEMENT_RECOVERY_CHAOS_{name}": str(value) for name, value in names.items()}
    # Each shard's topologies are others.
    seed = f"--hypothesis-seed={given.seed + given.shard.number - 1}"
    # All topologies are one test, which may take longer than any of the suite's.
    command = [sys.executable, "-m", "pytest", "-n", str(given.workers), "--dist", "loadfile", "-o", "timeout=0", seed]
    environment = {**os.environ, "PLACEMENT_RECOVERY_LAB": "1", **chosen}
    return subprocess.run([*command, str(FOLDER)], env=environment).returncode


def _report(given: argparse.Namespace, lines: List[Any]) -> bool:
    """Print every problem, and the closing line; whether all was tried and nothing failed."""
    results = {kind: result(kind, lines) for kind in KINDS}
    for one in results.values():
        for problem in one.problems:
            _say(problem)
    _say(f"{_called(given)}: " + ", ".join(f"{kind} {one}" for kind, one in results.items()))
    return all(one.is_whole and not one.problems for one in results.values())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
