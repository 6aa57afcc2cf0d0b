"""Mutated logs: 3,000 runs here, and as many as one likes by `python3 tests/logs/fuzz.py --runs N`."""

from __future__ import annotations

from testkit.logs import fuzz

RUNS = 3_000


def test_no_mutation_of_a_log_breaks_the_parser():
    """See fuzz.py for what each run asserts; and the mutations left enough whole to be worth it."""
    assert sum(fuzz.check(seed) for seed in range(1, RUNS + 1)) > RUNS / 10
