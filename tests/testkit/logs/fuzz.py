"""Fuzz the log parser: mutated real logs, in random pieces.

    make fuzz [--runs 100000] [--seed 1]

Each run asserts: nothing is raised; the cuts change nothing; the parser's state is bounded; and each fault has a
line with both phrases of the 409, ERROR and the right logger. A failing run prints its seed, which
alone repeats it: `--seed SEED --runs 1`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from typing import Iterator, List

from placement_recovery.detection.logs import Event, Fault, LogParser
from placement_recovery.detection.logs.line_splitter import LONGEST_LINE
from testkit.logs import forms

NEEDED = (b"Got 409", b"Conflicting resource provider name")
# In these forms the phrases are split, or written as numbers.
SCATTERED = ("docker_split", "docker_split_of_oslo_json", "cri_split")
IN_NUMBERS = ("journal_json_in_numbers", "journal_json_in_spaced_numbers")
MOST_STATE = 4 * LONGEST_LINE

JUNK = [
    b"\n", b"\r\n", b"\0", b"\x1b[00m", b"\x1b[", b"\xff\xfe", b'"', b"\\", b"{", b"}", b"[", b"]", b"<11>", b": ",
    b" P ", b"409", b"503", b"ERROR", b"INFO", b"[None req-1] ", b"null", b"9" * 5000, b"{" * 3000, b" " * 5000,
    b"\\n" * 2000,
]  # fmt: skip


def main() -> None:
    """Run, and print how many runs passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, help="how many (default 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each further one takes the next")
    options = parser.parse_args()
    started, faults = time.monotonic(), 0
    for seed in range(options.seed, options.seed + options.runs):
        faults += check(seed)
    last, seconds = options.seed + options.runs - 1, time.monotonic() - started
    sys.stdout.write(f"seeds {options.seed} to {last} held in {seconds:.0f} s; {faults} faults were reported\n")


def check(seed: int) -> int:
    """Do one run, and return the number of faults it reported. Raises AssertionError that names the seed."""
    chance = random.Random(seed)
    name = chance.choice(sorted(forms.ALL))
    data = mutate(chance, forms.as_bytes(forms.ALL[name](_some_lines(chance))))
    try:
        whole = _read([data])
        assert _read(_cut(chance, data)) == whole, "the cuts changed the events"
        faults = [event for event in whole if isinstance(event, Fault)]
        assert not faults or name in IN_NUMBERS or _may_hold_a_fault(data, name), f"a fault without its line: {faults}"
    except Exception as error:
        raise AssertionError(f"seed {seed}, form {name}: {error!r}") from error
    return len(faults)


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Change some bytes of a log in one to eight ways, mostly few."""
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([1, 1, 2, 10, 100, 2000]))
        elsewhere = chance.randrange(len(data) + 1)
        data = chance.choice(
            [
                data[:start] + data[end:],
                data[:start] + chance.choice(JUNK) + data[end:],
                data[:start] + chance.choice(JUNK) + data[start:],
                data[:elsewhere] + data[start:end] + data[elsewhere:],
                data[:start] + bytes(chance.randrange(256) for _ in range(min(20, end - start))) + data[end:],
                data[:end],
            ]
        )
    return data


def _some_lines(chance: random.Random) -> List[str]:
    sample = forms.sample(chance.choice(_PLAIN_SAMPLES))
    telling = [index for index, line in enumerate(sample) if "lacement API" in line]
    first = max(0, chance.choice(telling) - chance.randint(0, 2))
    return sample[first : first + chance.randint(2, 8)]


_PLAIN_SAMPLES = [path.name for path in sorted(forms.SAMPLES.glob("*.log")) if "json" not in path.name]


def _cut(chance: random.Random, data: bytes) -> Iterator[bytes]:
    edges = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(0, 8)))
    for start, end in zip([0, *edges], [*edges, len(data)]):
        yield data[start:end]


def _read(pieces: Iterator[bytes] | List[bytes]) -> List[Event]:
    parser = LogParser()
    events: List[Event] = []
    for piece in pieces:
        events += parser.feed(piece)
        assert len(json.dumps(parser.state())) < MOST_STATE, "the state is too large"
    return events + parser.close()


def _may_hold_a_fault(data: bytes, name: str) -> bool:
    if name in SCATTERED:
        return True
    # A colour may stand anywhere, within a word as well.
    lines = re.sub(rb"(\x1b|#033)\[[0-9;]*[A-Za-z]", b"", data).split(b"\n")
    return any(all(words in line for words in NEEDED) for line in lines)


if __name__ == "__main__":
    main()
