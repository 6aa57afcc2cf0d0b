"""What an action's metadata says of its parameters is what its code takes."""

from __future__ import annotations

import inspect

import pytest

from placement_recovery.recovery.methods import ROLLBACK, SEQUENCES
from testkit.actions import action_class, metadata, python_actions

RUNNERS = {"timeout", "log_level"}
USER = "{{ action_context.get('api_user') or action_context.user }}"


@pytest.mark.parametrize("name", python_actions())
def test_defaults_are_those_of_run(name):
    """So that an action does the same when it is called without StackStorm."""
    taken = dict(inspect.signature(action_class(name).run).parameters)
    taken.pop("self")
    declared = {key: one for key, one in metadata()[name]["parameters"].items() if key not in RUNNERS}
    assert set(taken) == set(declared)
    for key, one in declared.items():
        if one.get("required"):
            assert taken[key].default is inspect.Parameter.empty
        elif one.get("default") != USER:
            assert taken[key].default == one["default"]


@pytest.mark.parametrize("name", python_actions())
def test_the_datastores_debug_lines_stay_out_of_the_results(name):
    """And nobody turns them on from a chat."""
    assert metadata()[name]["parameters"]["log_level"] == {
        **metadata()[name]["parameters"]["log_level"], "default": "INFO", "immutable": True,
    }


def test_class_names_differ():
    """The datastore's local keys are made of them."""
    names = [action_class(name).__name__ for name in python_actions()]
    assert len(set(names)) == len(names)


def test_every_step_has_its_action_and_its_parameters():
    """SEQUENCES is what the workflows draw."""
    found = metadata()
    for step in (one for steps in (*SEQUENCES.values(), ROLLBACK) for one in steps):
        assert set(step.parameters) <= set(found[step.action]["parameters"])
