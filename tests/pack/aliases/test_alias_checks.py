"""The static checks find what is wrong with an alias before anybody types it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from lab.checks import aliases
from lab.checks.subject import read
from testkit.chat import ROOT

CHECKS = (
    aliases.aliases_are_known_to_stackstorm,
    aliases.aliases_fit_their_actions,
    aliases.no_two_formats_match_one_line,
    aliases.templates_can_be_rendered,
)
APPROVE = "aliases/rp_approve.yaml"


@pytest.fixture(scope="module")
def pack():
    """The pack as it is, read once."""
    return read(ROOT, {})


@pytest.fixture
def subject(pack):
    """The pack, its aliases to change at will."""
    return replace(pack, aliases=copy.deepcopy(pack.aliases))


def problems(subject):
    """All that the checks say."""
    return [problem for check in CHECKS for problem in check(subject)]


def test_the_packs_aliases_are_right(subject):
    """No check complains."""
    assert len(subject.aliases) == 7
    assert problems(subject) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "rp_approve"}, "its name is 'rp_approve', not 'placement_recovery_rp_approve'"),
        ({"pack": "other"}, "its pack is 'other', not 'placement_recovery'"),
        ({"acknowledge": {}}, "Additional properties are not allowed ('acknowledge'"),
        ({"ack": {"text": "?"}}, "'text'"),
        ({"formats": []}, "formats"),
        ({"action_ref": "placement_recovery.approve"}, "the action placement_recovery.approve does not exist"),
        ({"formats": ["rp-approve {{ host }} {{ digest }}"]}, "the action has no parameter digest"),
        ({"formats": ["rp-approve {{ approve }}"]}, "the action needs host"),
        ({"formats": ["rp-approve {{ host }} {{ method }}"]}, "method can be typed, but is one of immutable"),
        ({"immutable_parameters": {"user": "me"}}, "the action has no parameter user"),
        ({"action_ref": "placement_recovery.save_allocations", "immutable_parameters": {"user": "me"}}, "is immutable"),
        ({"formats": ["{{ host }} {{ approve }}"]}, "also has the format '{{ host }} {{ approve }}' of"),
        ({"formats": ["rp-(approve"]}, "is no regular expression"),
        ({"ack": {"format": "{{ actionalias.name }}"}}, "ack: it asks for actionalias"),
        ({"result": {"format": "{% if %}"}}, "result: it cannot be parsed"),
        ({"result": {"format": "{{ 'a' | shout }}"}}, "result: it cannot be parsed"),
    ],
)  # fmt: skip
def test_a_planted_defect_is_found(subject, change, words):
    """With the alias's file."""
    subject.aliases[APPROVE].update(change)
    found = "\n".join(problems(subject))
    assert words in found
    assert APPROVE in found or "aliases: " in found
