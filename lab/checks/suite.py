"""Runs all checks, in the environment that holds orquesta.

stdin has each pack's folder and SEQUENCES, stdout gets the problems of each, both as a list in JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from lab.stackstorm import shims, standin
from lab.stackstorm.engine import st2kv

standin.install()
shims.load_orquesta({"st2kv": st2kv})

from lab.checks import (  # noqa: E402 - shims come first
    actions,
    aliases,
    inventory,
    manifest,
    methods,
    rules,
    sensors,
    sources,
    triggers,
    workflows,
)
from lab.checks.subject import Subject, read  # noqa: E402

Check = Callable[[Subject], list[str]]

CHECKS: tuple[Check, ...] = (
    manifest.files_are_readable,
    manifest.pack_is_described,
    manifest.configuration_is_described,
    manifest.example_fits_the_schema,
    manifest.links_are_there,
    actions.metadata_is_known_to_stackstorm,
    actions.parameters_are_described,
    actions.parameters_fit_the_runner,
    actions.positions_are_a_sequence,
    actions.help_can_be_printed,
    actions.defaults_make_sense,
    actions.entry_points_exist,
    sources.one_class_per_file,
    sources.run_takes_the_parameters,
    workflows.inspection_finds_nothing,
    workflows.inputs_are_the_parameters,
    workflows.failures_have_a_route,
    workflows.inline_values_are_kept,
    workflows.languages_are_not_mixed,
    methods.workflows_draw_the_methods,
    triggers.triggers_are_known_to_stackstorm,
    triggers.payloads_are_described,
    rules.rules_are_known_to_stackstorm,
    rules.triggers_of_rules_exist,
    rules.criteria_can_be_met,
    rules.actions_of_rules_exist,
    rules.templates_of_rules_can_be_rendered,
    sensors.sensors_are_known_to_stackstorm,
    sensors.sensors_can_be_loaded,
    sensors.library_is_linked,
    aliases.aliases_are_known_to_stackstorm,
    aliases.aliases_fit_their_actions,
    aliases.no_two_formats_match_one_line,
    aliases.templates_can_be_rendered,
    inventory.readme_is_current,
)


def main() -> None:
    """Write all problems of the packs."""
    subjects = [read(Path(folder), methods) for folder, methods in json.load(sys.stdin)]
    json.dump([[problem for check in CHECKS for problem in check(subject)] for subject in subjects], sys.stdout)


if __name__ == "__main__":
    main()
