"""``python3 -m lab.checks [PACK]`` prints the pack's problems; 1 if there is any."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.checks import ROOT, problems


def main(words: list[str] | None = None) -> int:
    """0 if the pack has no problem, 1 if it has, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.checks", description=__doc__)
    parser.add_argument("pack", nargs="?", type=Path, default=ROOT, help="the pack's folder (default: this one)")
    found = problems(parser.parse_args(words).pack)
    for problem in found:
        print(problem)
    print(f"{len(found)} problems in the pack's metadata and workflows", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
