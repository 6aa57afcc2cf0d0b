"""Inventories that are made wide for a move, and narrow again after it."""

from __future__ import annotations

from dataclasses import replace

from placement_recovery.cloud.model import Inventory
from placement_recovery.plan.widening import narrow, widen, widened_fields

CPUS = Inventory(total=16, reserved=0, min_unit=1, max_unit=16, step_size=1, allocation_ratio=1.0)
TARGET = {"VCPU": CPUS}


def recorded(*looks):
    """What a record holds of several widenings: field to values, for VCPU."""
    found = {}
    for before, parts in looks:
        wide = widen({"VCPU": before}, parts)
        for field, value in widened_fields({"VCPU": before}, wide).get("VCPU", {}).items():
            found.setdefault(field, []).append(value)
    return {"VCPU": found}


def test_what_fits_is_not_widened():
    """Nothing is written, and nothing is to be narrowed."""
    assert widen(TARGET, [{"VCPU": 8}, {"VCPU": 8}]) == {}


def test_only_the_fields_that_were_made_wide_are_recorded():
    """The ratio for the sum, the greatest unit for one that is greater."""
    assert recorded((CPUS, [{"VCPU": 12}, {"VCPU": 12}])) == {"VCPU": {"allocation_ratio": [2.0]}}
    assert recorded((CPUS, [{"VCPU": 20}])) == {"VCPU": {"allocation_ratio": [2.0], "max_unit": [20]}}


def test_what_is_still_wide_is_narrowed():
    """To the target."""
    wide = widen(TARGET, [{"VCPU": 20}])
    assert narrow(wide, recorded((CPUS, [{"VCPU": 20}])), TARGET) == TARGET


def test_a_widening_that_was_recorded_and_not_carried_out_does_not_hide_the_one_before():
    """Its process was killed in between; what stands is what the first one wrote."""
    first = widen(TARGET, [{"VCPU": 12}, {"VCPU": 12}])
    both = recorded((CPUS, [{"VCPU": 12}, {"VCPU": 12}]), (first["VCPU"], [{"VCPU": 12}] * 4))
    assert both == {"VCPU": {"allocation_ratio": [2.0, 3.0]}}
    assert narrow(first, both, TARGET) == TARGET


def test_what_nova_wrote_before_the_widening_stays():
    """The host was given fewer CPUs: its total and greatest unit are nova-compute's word, the ratio was ours."""
    smaller = replace(CPUS, total=8, max_unit=8)
    wide = widen({"VCPU": smaller}, [{"VCPU": 4}] * 4)
    fields = recorded((smaller, [{"VCPU": 4}] * 4))
    assert narrow(wide, fields, TARGET) == {"VCPU": smaller}


def test_what_nova_writes_after_the_widening_stays():
    """Its own ratio of nova.conf wins."""
    fields = recorded((CPUS, [{"VCPU": 12}] * 2))
    own = {"VCPU": replace(CPUS, allocation_ratio=4.0)}
    assert narrow(own, fields, TARGET) == own
