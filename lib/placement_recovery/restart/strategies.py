"""The strategies to restart nova-compute: a systemd unit, a container, a configured command.

Each can probe, which changes nothing, and restart. The commands given to systemctl and sudo are fixed word by word, so
that operators can write sudoers rules for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Collection, List, NoReturn, Tuple

from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import NOT_EXECUTABLE, NOT_FOUND, Machine
from placement_recovery.restart.process import ProgramResult
from placement_recovery.restart.sudo import check_permitted, run_privileged

POLL_SECONDS = 1.0
HOST_PLACEHOLDER = "{host}"


@dataclass(frozen=True)
class SystemdUnit:
    """nova-compute runs as a systemd unit."""

    unit: str
    sudo: bool

    @property
    def name(self) -> str:
        """The name used in messages."""
        return f"systemd unit {self.unit}"

    def probe(self, machine: Machine) -> str:
        """Check that the unit is loaded and that the login may restart it; return a sentence on it."""
        state = self._loaded(machine)
        if self.sudo:
            check_permitted(machine, self._restart_words())
            return f"{self.name} on {machine.name} is {state}, and sudo permits its restart"
        return f"{self.name} on {machine.name} is {state}; {self._without_sudo(machine)}"

    def restart(self, machine: Machine) -> str:
        """Restart the unit and wait until it is active; return a sentence on it."""
        words = self._restart_words()
        result = run_privileged(machine, words, self.sudo)
        if result.status != 0:
            self._loaded(machine)
            _fail(machine, result, words, f"{self.name} was not restarted", self._advice(result))
        _await_state(machine, self.name, lambda: self._state(machine), "active", _UNIT_TRANSIENT)
        return f"{self.name} on {machine.name} was restarted and is active"

    def _restart_words(self) -> List[str]:
        return ["systemctl", "restart", self.unit]

    def _loaded(self, machine: Machine) -> str:
        words = ["systemctl", "show", "--property=LoadState,ActiveState", self.unit]
        result = machine.run(words)
        if result.status != 0:
            _fail(machine, result, words, f"{self.name} cannot be inspected", "Check restart_how")
        facts = dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)
        load = facts.get("LoadState", "unknown")
        if load != "loaded":
            raise HostFailure(f"{machine.name}: {self.name} is {load}. {_LOAD_ADVICE.get(load, _LOAD_ADVICE['error'])}")
        return facts.get("ActiveState", "in an unknown state")

    def _advice(self, result: ProgramResult) -> str:
        if re.search(r"authentication required|access denied", result.stderr, re.IGNORECASE):
            return "The login may not restart it: set restart_sudo, or permit it in polkit there"
        return f"See journalctl -u {self.unit} there"

    def _state(self, machine: Machine) -> str:
        result = machine.run(["systemctl", "is-active", self.unit])
        return result.stdout.strip() or result.message

    def _without_sudo(self, machine: Machine) -> str:
        if machine.run(["id", "-u"]).stdout.strip() == "0":
            return "the login is root"
        return "the login is not root: whether polkit permits the restart shows only at the restart"


_UNIT_TRANSIENT = ("reloading", "activating", "deactivating")
_LOAD_ADVICE = {
    "not-found": "Set restart_unit: nova-compute on Debian and Ubuntu, openstack-nova-compute on RHEL; "
    "for a container set restart_how to docker or podman",
    "masked": "Unmask it with systemctl unmask, or set restart_how to what runs nova-compute there",
    "error": "See its systemctl status there",
}


@dataclass(frozen=True)
class Container:
    """nova-compute runs in a container of docker or podman (`engine`)."""

    engine: str
    container: str
    sudo: bool

    @property
    def name(self) -> str:
        """The name used in messages."""
        return f"{self.engine} container {self.container}"

    def probe(self, machine: Machine) -> str:
        """Check that the container exists and that the login may restart it; return a sentence on it."""
        state = self._state(machine)
        if not self.sudo:
            return f"{self.name} on {machine.name} is {state}, and the login may use {self.engine}"
        check_permitted(machine, self._restart_words())
        return f"{self.name} on {machine.name} is {state}, and sudo permits its restart"

    def restart(self, machine: Machine) -> str:
        """Restart the container and wait until it is running; return a sentence on it."""
        words = self._restart_words()
        result = run_privileged(machine, words, self.sudo)
        if result.status != 0:
            self._state(machine)
            advice = f"See {self.engine} logs {self.container} there"
            _fail(machine, result, words, f"{self.name} was not restarted", advice)
        _await_state(machine, self.name, lambda: self._state(machine), "running", ("created", "restarting", "stopping"))
        return f"{self.name} on {machine.name} was restarted and is running"

    def _restart_words(self) -> List[str]:
        return [self.engine, "restart", self.container]

    def _state(self, machine: Machine) -> str:
        words = [self.engine, "container", "inspect", "--format", "{{.State.Status}}", self.container]
        result = run_privileged(machine, words, self.sudo)
        if result.status == 0:
            return result.stdout.strip()
        if "no such container" in result.stderr.lower():
            raise HostFailure(
                f"{machine.name}: there is no {self.name}. Set restart_container to the name that \"{self.engine} ps\" "
                f"shows there, or restart_how to what runs nova-compute. Output: {result.message}"
            )
        advice = f"Check that {self.engine} runs there and that the login may use it"
        return _fail(machine, result, words, f"{self.name} cannot be inspected", advice)


@dataclass(frozen=True)
class Command:
    """The operator's own command. Messages name its program only: its arguments may be confidential."""

    words: Tuple[str, ...]
    probe_words: Tuple[str, ...] = ()

    def probe(self, machine: Machine) -> str:
        """Run the probe command, or check that the program exists; return a sentence on it."""
        if not self.probe_words:
            return self._program_exists(machine)
        words = _for_host(self.probe_words, machine.host)
        result = machine.run(words)
        if result.status != 0:
            _fail(machine, result, words, "restart_probe_command failed, so a restart would fail", "See what it checks")
        return f"restart_probe_command on {machine.name} succeeded"

    def restart(self, machine: Machine) -> str:
        """Run the command to its end; return a sentence on it. Only its exit status is known."""
        words = _for_host(self.words, machine.host)
        result = machine.run(words)
        if result.status != 0:
            _fail(machine, result, words, "restart_command failed", "See what it does")
        return f"restart_command ({words[0]}) on {machine.name} succeeded"

    def _program_exists(self, machine: Machine) -> str:
        program = _for_host(self.words, machine.host)[0]
        result = machine.run(["sh", "-c", 'command -v "$1"', "sh", program])
        if result.status != 0:
            raise HostFailure(f"{machine.name}: {program} is missing. Correct restart_command, or install it there")
        return f"{program} of restart_command exists on {machine.name}; set restart_probe_command to check more"


def _for_host(words: Tuple[str, ...], host: str) -> List[str]:
    return [word.replace(HOST_PLACEHOLDER, host) for word in words]


def _await_state(machine: Machine, name: str, read: Callable[[], str], wanted: str, transient: Collection[str]) -> None:
    state = read()
    while state in transient and machine.deadline.left() > POLL_SECONDS:
        machine.deadline.pause(POLL_SECONDS)
        state = read()
    if state in transient:
        spent = f"{machine.deadline.seconds:g} s"
        raise HostFailure(f"{machine.name}: {name} was restarted, but is still {state} after {spent}. See its log")
    if state != wanted:
        raise HostFailure(f"{machine.name}: {name} was restarted, but is now {state}. See its log there")


def _fail(machine: Machine, result: ProgramResult, words: List[str], fact: str, advice: str) -> NoReturn:
    """Raise HostFailure for a program that exited with another status than 0. Of `words` only the program is named."""
    if result.status == NOT_FOUND:
        raise HostFailure(f"{machine.name}: {fact}: {words[0]} is missing. {advice}. Output: {result.message}")
    how = "cannot be executed" if result.status == NOT_EXECUTABLE else f"ended with {result.status}"
    raise HostFailure(f"{machine.name}: {fact}: {words[0]} {how}. {advice}. Output: {result.message}")
