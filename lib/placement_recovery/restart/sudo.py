"""What sudo permits, and how it says no. It is never given a password: `-n` makes it fail instead of asking."""

from __future__ import annotations

import re
from typing import Sequence

from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import Machine
from placement_recovery.restart.process import Outcome


def run_privileged(machine: Machine, words: Sequence[str], sudo: bool) -> Outcome:
    """Run `words`, through sudo or as the login itself. Raises HostFailure where sudo does not start them."""
    if not sudo:
        return machine.run(words)
    outcome = machine.run(["sudo", "-n", *words])
    if _is_refusal(outcome):
        raise _refusal(machine, outcome, words)
    return outcome


def check_permitted(machine: Machine, words: Sequence[str]) -> None:
    """Ask sudo, without running anything, whether the login may run `words`. Raises HostFailure.

    `sudo -l COMMAND` ends with 1 where the rules do not permit it, and asks for a password unless some rule of the
    login has NOPASSWD (sudoers(5), listpw). So a login with NOPASSWD for something else only passes here.
    """
    outcome = machine.run(["sudo", "-n", "-l", *words])
    if outcome.status != 0:
        raise _refusal(machine, outcome, words)


def _is_refusal(outcome: Outcome) -> bool:
    """Whether it was sudo that failed, in whatever language it speaks, and not the program that it should start."""
    pattern = r"^sudo: |may not run sudo|is not allowed to execute"
    return outcome.status == 1 and bool(re.search(pattern, outcome.stderr, re.MULTILINE))


def _refusal(machine: Machine, outcome: Outcome, words: Sequence[str]) -> HostFailure:
    if outcome.status != 1:
        fact = f"sudo cannot be used (status {outcome.status})"
    elif re.search(r"command not found", outcome.stderr):
        fact = f"sudo finds no {words[0]}"
    elif re.search(r"password is required|terminal is required|must have a tty|no tty present", outcome.stderr):
        fact = "sudo asks for a password"
    else:
        fact = "sudo does not permit it"
    command = " ".join(words)
    return HostFailure(
        f"{machine.name}: {fact}. Permit the login \"{command}\" with NOPASSWD in sudoers there, or set "
        f"restart_sudo to false if the login needs no sudo. It said: {outcome.said}"
    )
