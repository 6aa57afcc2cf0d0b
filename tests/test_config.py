"""The configuration: the schema that StackStorm reads and the library agree, and each bad value is named."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
import yaml

from placement_recovery.config import Config, microversion
from placement_recovery.errors import ConfigurationError

ROOT = Path(__file__).parent.parent
SCHEMA = yaml.safe_load((ROOT / "config.schema.yaml").read_text())
TYPES = {str: "string", int: "integer", bool: "boolean", tuple: "array", dict: "object"}


def type_of(name):
    """The type of an option; one that also takes a word that YAML reads as false has an enum alone."""
    return SCHEMA[name].get("type", "string")


def test_the_schema_has_the_options_of_the_library():
    """Neither more nor less."""
    assert set(SCHEMA) == {option.name for option in fields(Config)}


@pytest.mark.parametrize("name", sorted(SCHEMA))
def test_each_option_has_the_type_and_the_default_of_the_schema(name):
    """So that it works without a file, and no option has two truths."""
    default = getattr(Config(), name)
    assert type_of(name) == TYPES[type(default)]
    assert SCHEMA[name]["default"] == (list(default) if isinstance(default, tuple) else default)
    assert SCHEMA[name]["description"].strip()
    assert SCHEMA[name]["required"] is False


def test_the_schemas_defaults_make_a_configuration():
    """As StackStorm hands them to an action."""
    assert Config.from_mapping({name: option["default"] for name, option in SCHEMA.items()}) == Config()


@pytest.mark.parametrize("name", [name for name in SCHEMA if "enum" in SCHEMA[name]])
def test_each_choice_of_the_schema_is_one_of_the_library(name):
    """And what is none of them is refused with all that are."""
    for choice in SCHEMA[name]["enum"]:
        extra = {"restart_command": ["true"]} if choice == "command" else {}
        assert getattr(Config.from_mapping({name: choice, **extra}), name) == (choice or "disabled")
    with pytest.raises(ConfigurationError) as caught:
        Config.from_mapping({name: "otherwise"})
    listed = re.fullmatch(rf"{name} must be one of (.*), not 'otherwise'", str(caught.value))
    assert listed
    assert listed[1].split(", ") == [one for one in SCHEMA[name]["enum"] if one is not False]


def test_the_example_is_a_configuration():
    """Copied as it is, it passes."""
    example = yaml.safe_load((ROOT / "placement_recovery.yaml.example").read_text())
    assert Config.from_mapping(example).clouds_file == example["clouds_file"]


def test_none_means_the_default():
    """A datastore key that is missing is silently None."""
    assert Config.from_mapping(dict.fromkeys(SCHEMA)) == Config()
    assert Config.from_mapping({}) == Config()


WRONG = {
    "string": [1.5, True, 7, ["a"], {"a": "b"}],
    "integer": ["text", "7", 1.5, True, ["a"], {"a": "b"}],
    "boolean": ["true", 1, ["a"], {"a": "b"}],
    "array": ["text", 7, True, [1], ["a", None], {"a": "b"}],
    "object": ["text", 7, True, ["a"], {"a": 1}, {1: "a"}],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in sorted(SCHEMA) for value in WRONG[type_of(name)]]
)
def test_a_value_of_another_type_is_refused_by_the_options_name(name, value):
    """Text for a number, a number for text, numbers within a list."""
    with pytest.raises(ConfigurationError, match=f"^{name}"):
        Config.from_mapping({name: value})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("automation: on", "automation must be text, not True; put it in quotes"),
        ("compute_microversion: 2.90", "compute_microversion must be text, not 2.9; put it in quotes"),
        ("cloud: 7", "cloud must be text, not 7; put it in quotes"),
    ],
)
def test_what_yaml_reads_otherwise_than_it_looks_is_explained(given, told):
    """A bare on, and a number for a microversion."""
    with pytest.raises(ConfigurationError) as caught:
        Config.from_mapping(yaml.safe_load(given))
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"colour": "red", "cloud": "x"}, "unknown option colour; known are "),
        ({"compute_microversion": "2.68"}, "compute_microversion must be 2.69 or later, not 2.68"),
        ({"compute_microversion": "latest"}, "'latest' is no microversion"),
        ({"placement_microversion": "1.27"}, "placement_microversion must be 1.28 or later, not 1.27"),
        ({"placement_microversion": "1.9"}, "placement_microversion must be 1.28 or later, not 1.9"),
        ({"request_timeout": 0}, "request_timeout must be 1 or more, not 0"),
        ({"concurrency": 0}, "concurrency must be 1 or more, not 0"),
        ({"batch_size": -1}, "batch_size must be 1 or more, not -1"),
        ({"restart_timeout": 0}, "restart_timeout must be 1 or more, not 0"),
        ({"provider_wait": 0}, "provider_wait must be 1 or more, not 0"),
        ({"periodic_wait": -1}, "periodic_wait must be 0 to 900, not -1"),
        ({"provider_wait": 901}, "provider_wait must be 0 to 900, not 901"),
        ({"restart_timeout": 10000}, "restart_timeout must be 0 to 900, not 10000"),
        ({"restart_how": "command"}, "restart_how is command, but restart_command is empty"),
        ({"restart_command": "systemctl restart x"}, "restart_command must be a list of strings"),
        ({"automation_hosts": "compute-.*"}, "automation_hosts must be a list of strings"),
        ({"automation_hosts": ["ok", "compute-["]}, "automation_hosts: 'compute-[' is no regular expression"),
        ({"ssh_targets": {"compute-0": 5}}, "ssh_targets must map text to text, not 'compute-0' to 5"),
    ],
)
def test_each_bad_value_is_named(values, told):
    """With the value and what it may be."""
    with pytest.raises(ConfigurationError) as caught:
        Config.from_mapping(values)
    assert str(caught.value).startswith(told)


def test_microversions_compare_as_numbers():
    """2.100 is later than 2.69."""
    assert Config.from_mapping({"compute_microversion": "2.100"}).compute_microversion == "2.100"
    assert microversion("1.9") < microversion("1.28")


def test_a_configuration_cannot_be_changed():
    """It is checked once."""
    with pytest.raises(FrozenInstanceError):
        Config().cloud = "other"


@pytest.mark.parametrize("given", ["automation: off", "automation: no", "automation: disabled"])
def test_automation_is_disabled_by_words_that_yaml_reads_as_false(given):
    """Whoever writes them means it."""
    assert Config.from_mapping(yaml.safe_load(given)).automation == "disabled"
