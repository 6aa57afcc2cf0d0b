"""Throughput and memory of the log parser on logs without a fault, compared to `grep -F` on the same file.

    python3 benchmarks/logs.py [--megabytes 100]

Each form consists of the harmless lines of the sample logs. The file is read from the page cache, so that the CPU
is measured, not the disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Callable, Dict, List

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lib"))

from placement_recovery.detection.logs import read_file  # noqa: E402 - the path comes first

SAMPLES = ROOT / "tests" / "fixtures" / "logs"
OF_A_FAILURE = ("resource provider", "lacement API", "Error updating resources", "ERROR nova.compute.manager")
PHRASE = "Conflicting resource provider name"
ROUNDS = 5


def main() -> None:
    """Print a table: one line per form, then one per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100, help="size of each log (default 100)")
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nova-compute.log"
        _say(f"{'form':<22}{'parser MB/s':>12}{'grep -F MB/s':>14}{'ratio':>8}")
        for name, lines in _forms().items():
            _write(path, lines, megabytes)
            _measure(name, path)
        _write(path, _forms()["plain"], megabytes)
        _say(f"\n{'size MB':<10}{'peak of the parser, KiB':>24}")
        for size in (megabytes // 10, megabytes // 2, megabytes):
            _write(path, _forms()["plain"], size)
            _say(f"{size:<10}{_peak(path) // 1024:>24}")
    _say(f"\nmost memory of the whole process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


def _forms() -> Dict[str, List[str]]:
    plain = [line for path in sorted(SAMPLES.glob("*.log")) if "json" not in path.name for line in _harmless(path)]
    return {
        "plain": plain,
        "oslo JSON": _harmless(SAMPLES / "nova-26-name-conflict-json.log"),
        "syslog": [f"Nov 22 11:00:32 compute-0 nova-compute[2387]: {line}" for line in plain],
        "docker": [_compact({"log": line + "\n", "stream": "stdout", "time": "2026-11-22T11:00Z"}) for line in plain],
        "CRI": [f"2026-11-22T11:00:32.672143Z stdout F {line}" for line in plain],
        "journald": [_compact({"_HOSTNAME": "compute-0", "MESSAGE": line}) for line in plain],
        "journald, coloured": [_compact({"MESSAGE": list(f"\033[00;36m{line}\033[00m".encode())}) for line in plain],
    }


def _compact(record: Dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _harmless(path: Path) -> List[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if not any(words in line for words in OF_A_FAILURE)]


def _write(path: Path, lines: List[str], megabytes: int) -> None:
    once = ("\n".join(lines) + "\n").encode()
    times = 1 + 1_000_000 // len(once)
    block = once * times
    with open(path, "wb") as log:
        for _ in range(max(1, megabytes * 1_000_000 // len(block))):
            log.write(block)


def _measure(name: str, path: Path) -> None:
    size = path.stat().st_size / 1e6
    parser, grep = [], []
    for _ in range(ROUNDS):
        # In turns, so that other load on the machine slows down both.
        parser.append(size / _seconds(lambda: _read(path)))
        grep.append(size / _seconds(lambda: _grep(path)))
    ours, theirs = max(parser), max(grep)
    _say(f"{name:<22}{ours:>12.0f}{theirs:>14.0f}{ours / theirs:>8.2f}")


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _read(path: Path) -> None:
    events = list(read_file(path))
    if events:
        raise SystemExit(f"{len(events)} events in a log without a fault: {events[0]}")


def _grep(path: Path) -> None:
    command = ["grep", "-F", "-c", PHRASE, str(path)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - no input of others
    if done.returncode != 1:
        raise SystemExit(f"grep ended with {done.returncode}, but should find nothing")


def _peak(path: Path) -> int:
    tracemalloc.start()
    _read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
