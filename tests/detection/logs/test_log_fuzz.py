"""Mutated logs: 3,000 runs here, more by `make fuzz RUNS=N`."""

from __future__ import annotations

from testkit.logs import fuzz

RUNS = 3_000


def test_no_mutation_of_a_log_breaks_the_parser():
    """fuzz.py describes what each run asserts; enough faults survive the mutations to make the test meaningful."""
    assert sum(fuzz.check(seed) for seed in range(1, RUNS + 1)) > RUNS / 10
