"""``python3 -m lab.checks [PACK]`` prints the pack's problems; the exit status is 1 if there is any."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.checks import ROOT, problems, write_readme


def main(words: list[str] | None = None) -> int:
    """0 if the pack has no problem, 1 if it has, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.checks", description=__doc__)
    parser.add_argument("pack", nargs="?", type=Path, default=ROOT, help="the pack's folder (default: this one)")
    parser.add_argument("--write-readme", action="store_true", help="write the tables in README.md first")
    arguments = parser.parse_args(words)
    if arguments.write_readme:
        write_readme(arguments.pack)
    found = problems(arguments.pack)
    for problem in found:
        print(problem)
    print(f"{len(found)} problems in the pack's metadata and workflows", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
