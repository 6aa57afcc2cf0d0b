"""The ways to restart nova-compute: a systemd unit, a container, a configured command.

Each can be probed, which changes nothing, and restarted. What is asked of systemctl and sudo is fixed, word by word, so
that operators can write sudoers rules for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Collection, List, NoReturn, Tuple

from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import NOT_EXECUTABLE, NOT_FOUND, Machine
from placement_recovery.restart.process import Outcome
from placement_recovery.restart.sudo import check_permitted, run_privileged

LOOK_EVERY = 1.0
HOST_PLACEHOLDER = "{host}"


@dataclass(frozen=True)
class SystemdUnit:
    """nova-compute as a unit of systemd."""

    unit: str
    sudo: bool

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"systemd unit {self.unit}"

    def probe(self, machine: Machine) -> str:
        """See that the unit is loaded and that the login may restart it; say so."""
        state = self._loaded(machine)
        if self.sudo:
            check_permitted(machine, self._restart_words())
            return f"{self.name} on {machine.name} is {state}, and sudo permits its restart"
        return f"{self.name} on {machine.name} is {state}; {self._without_sudo(machine)}"

    def restart(self, machine: Machine) -> str:
        """Restart the unit and wait until it is active; say so."""
        words = self._restart_words()
        outcome = run_privileged(machine, words, self.sudo)
        if outcome.status != 0:
            self._loaded(machine)
            _fail(machine, outcome, words, f"{self.name} was not restarted", self._advice(outcome))
        _await_state(machine, self.name, lambda: self._state(machine), "active", _UNIT_PASSING)
        return f"{self.name} on {machine.name} was restarted and is active"

    def _restart_words(self) -> List[str]:
        return ["systemctl", "restart", self.unit]

    def _loaded(self, machine: Machine) -> str:
        words = ["systemctl", "show", "--property=LoadState,ActiveState", self.unit]
        outcome = machine.run(words)
        if outcome.status != 0:
            _fail(machine, outcome, words, f"{self.name} cannot be looked at", "See restart_how")
        facts = dict(line.split("=", 1) for line in outcome.stdout.splitlines() if "=" in line)
        load = facts.get("LoadState", "unknown")
        if load != "loaded":
            raise HostFailure(f"{machine.name}: {self.name} is {load}. {_LOAD_ADVICE.get(load, _LOAD_ADVICE['error'])}")
        return facts.get("ActiveState", "of unknown state")

    def _advice(self, outcome: Outcome) -> str:
        if re.search(r"authentication required|access denied", outcome.stderr, re.IGNORECASE):
            return "The login may not restart it: set restart_sudo, or let polkit permit it there"
        return f"See journalctl -u {self.unit} there"

    def _state(self, machine: Machine) -> str:
        outcome = machine.run(["systemctl", "is-active", self.unit])
        return outcome.stdout.strip() or outcome.said

    def _without_sudo(self, machine: Machine) -> str:
        if machine.run(["id", "-u"]).stdout.strip() == "0":
            return "the login is root"
        return "the login is not root: whether polkit lets it restart the unit is known only then"


_UNIT_PASSING = ("reloading", "activating", "deactivating")
_LOAD_ADVICE = {
    "not-found": "Set restart_unit: nova-compute on Debian and Ubuntu, openstack-nova-compute on RHEL; "
    "for a container set restart_how to docker or podman",
    "masked": "Unmask it with systemctl unmask, or set restart_how to what runs nova-compute there",
    "error": "See systemctl status of it there",
}


@dataclass(frozen=True)
class Container:
    """nova-compute in a container of docker or podman (`engine`)."""

    engine: str
    container: str
    sudo: bool

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.engine} container {self.container}"

    def probe(self, machine: Machine) -> str:
        """See that the container exists and that the login may restart it; say so."""
        state = self._state(machine)
        if not self.sudo:
            return f"{self.name} on {machine.name} is {state}, and the login may use {self.engine}"
        check_permitted(machine, self._restart_words())
        return f"{self.name} on {machine.name} is {state}, and sudo permits its restart"

    def restart(self, machine: Machine) -> str:
        """Restart the container and wait until it is running; say so."""
        words = self._restart_words()
        outcome = run_privileged(machine, words, self.sudo)
        if outcome.status != 0:
            self._state(machine)
            advice = f"See {self.engine} logs {self.container} there"
            _fail(machine, outcome, words, f"{self.name} was not restarted", advice)
        _await_state(machine, self.name, lambda: self._state(machine), "running", ("created", "restarting", "stopping"))
        return f"{self.name} on {machine.name} was restarted and is running"

    def _restart_words(self) -> List[str]:
        return [self.engine, "restart", self.container]

    def _state(self, machine: Machine) -> str:
        words = [self.engine, "container", "inspect", "--format", "{{.State.Status}}", self.container]
        outcome = run_privileged(machine, words, self.sudo)
        if outcome.status == 0:
            return outcome.stdout.strip()
        if "no such container" in outcome.stderr.lower():
            raise HostFailure(
                f"{machine.name}: there is no {self.name}. Set restart_container to the name that \"{self.engine} ps\" "
                f"shows there, or restart_how to what runs nova-compute. It said: {outcome.said}"
            )
        advice = f"See that {self.engine} runs there and that the login may use it"
        return _fail(machine, outcome, words, f"{self.name} cannot be looked at", advice)


@dataclass(frozen=True)
class Command:
    """A command of the operator's. Messages name its program only: its arguments are theirs."""

    words: Tuple[str, ...]
    probe_words: Tuple[str, ...] = ()

    def probe(self, machine: Machine) -> str:
        """Run the probe command, or see that the program exists; say so."""
        if not self.probe_words:
            return self._program_exists(machine)
        words = _for_host(self.probe_words, machine.host)
        outcome = machine.run(words)
        if outcome.status != 0:
            _fail(machine, outcome, words, "restart_probe_command failed, so a restart would", "See what it looks at")
        return f"restart_probe_command on {machine.name} ended well"

    def restart(self, machine: Machine) -> str:
        """Run the command to its end; say so. Its exit status is all that is known."""
        words = _for_host(self.words, machine.host)
        outcome = machine.run(words)
        if outcome.status != 0:
            _fail(machine, outcome, words, "restart_command failed", "See what it does")
        return f"restart_command ({words[0]}) on {machine.name} ended well"

    def _program_exists(self, machine: Machine) -> str:
        program = _for_host(self.words, machine.host)[0]
        outcome = machine.run(["sh", "-c", 'command -v "$1"', "sh", program])
        if outcome.status != 0:
            raise HostFailure(f"{machine.name}: it has no {program}. Correct restart_command, or install it there")
        return f"{program} of restart_command exists on {machine.name}; restart_probe_command would tell more"


def _for_host(words: Tuple[str, ...], host: str) -> List[str]:
    return [word.replace(HOST_PLACEHOLDER, host) for word in words]


def _await_state(machine: Machine, name: str, look: Callable[[], str], wanted: str, passing: Collection[str]) -> None:
    state = look()
    while state in passing and machine.deadline.left() > LOOK_EVERY:
        machine.deadline.pause(LOOK_EVERY)
        state = look()
    if state in passing:
        seconds = machine.deadline.seconds
        raise HostFailure(f"{machine.name}: {name} was restarted, but after {seconds:g} s is {state}. See its log")
    if state != wanted:
        raise HostFailure(f"{machine.name}: {name} was restarted, but is {state} now. See its log there")


def _fail(machine: Machine, outcome: Outcome, words: List[str], fact: str, advice: str) -> NoReturn:
    """Raise for a program that ended with another status than 0. Of `words` only the program is named."""
    if outcome.status == NOT_FOUND:
        raise HostFailure(f"{machine.name}: {fact}: it has no {words[0]}. {advice}. It said: {outcome.said}")
    how = "cannot be executed" if outcome.status == NOT_EXECUTABLE else f"ended with {outcome.status}"
    raise HostFailure(f"{machine.name}: {fact}: {words[0]} {how}. {advice}. It said: {outcome.said}")
