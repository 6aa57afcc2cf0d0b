"""What a compute host and an SSH target can be called."""

from __future__ import annotations

import pytest

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError, InvalidInput
from placement_recovery.names import as_typed, check_host_name, check_ssh_target, ssh_target
from testkit.host_names import HOSTILE


@pytest.mark.parametrize(
    "host", ["compute-0", "Compute_0", "_c", "0", "cn.az-1.example.org", "10.0.0.5", "2001:db8::5", "a" * 64, "h7."]
)
def test_names_of_real_hosts_are_taken(host):
    """Host names, FQDNs, underscores and addresses are what clouds call their hosts."""
    assert check_host_name(host) == host
    assert check_ssh_target(host) == host


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_refused(text):
    """Nothing that a shell or ssh could read otherwise gets through, neither as host nor as target."""
    with pytest.raises(InvalidInput):
        check_host_name(text)
    with pytest.raises(InvalidInput):
        check_ssh_target(text)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "is empty"),
        ("-x", "begins with a dash"),
        ("a b", "has ' '"),
        ("a..b", "has an empty part"),
        ("a..", "has an empty part"),
        ("a.-b", "the part '-b'"),
        ("a" * 65, "a part of 65 characters"),
        (".".join(["a" * 50] * 6), "is 305 characters long"),
    ],
)
def test_the_error_says_what_is_wrong(text, fact):
    """An operator sees at once which rule the name breaks."""
    with pytest.raises(InvalidInput, match="host name") as caught:
        check_host_name(text)
    assert fact in str(caught.value)


def test_the_error_shows_nothing_that_steers_a_terminal():
    """The name is shown escaped and cut."""
    with pytest.raises(InvalidInput) as caught:
        check_host_name("\x1b]0;title\x07" + "x" * 1000)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("target", ["nova@compute-0", "svc_nova.admin@10.0.0.5", "root@2001:db8::5"])
def test_a_target_may_name_a_user(target):
    """user@host is what ssh takes."""
    assert check_ssh_target(target) == target


@pytest.mark.parametrize(
    "target", ["@host", "user@", "-l@host", "a b@host", "$(x)@host", "user@-host", "ssh://host:22", "host:22"]
)
def test_targets_that_ssh_would_read_otherwise_are_refused(target):
    """Ports, URIs and odd users belong into ssh_config."""
    with pytest.raises(InvalidInput):
        check_ssh_target(target)


def test_a_host_is_its_own_target_unless_it_is_mapped():
    """ssh_targets holds the exceptions only."""
    config = Config(ssh_targets={"compute-0": "nova@cn0"})
    assert ssh_target(config, "compute-0") == "nova@cn0"
    assert ssh_target(config, "compute-1") == "compute-1"


def test_a_hostile_target_in_the_configuration_is_named():
    """The error leads to the entry of ssh_targets."""
    with pytest.raises(ConfigurationError, match="ssh_targets, entry compute-0"):
        ssh_target(Config(ssh_targets={"compute-0": "-oProxyCommand=x"}), "compute-0")


@pytest.mark.parametrize(
    "typed",
    [
        "c-0.example.org", " c-0.example.org ", "http://c-0.example.org", "<http://c-0.example.org|c-0.example.org>",
        "<https://c-0.example.org/>", '"c-0.example.org"', "\u201cc-0.example.org\u201d", "`c-0.example.org`",
    ],
)
def test_what_a_chat_makes_of_a_name_is_that_name(typed):
    """Links and curled quotes."""
    assert as_typed(typed) == "c-0.example.org"
    assert check_host_name(as_typed(typed)) == "c-0.example.org"


@pytest.mark.parametrize("typed", ["$(reboot)", "c-0;ls", "http://", "<http://|b>", "http://c-0/path"])
def test_nothing_else_becomes_a_name(typed):
    """What is left is checked as any other."""
    with pytest.raises(InvalidInput):
        check_host_name(as_typed(typed))
