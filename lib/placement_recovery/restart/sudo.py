"""Run programs through sudo and explain its refusals. `-n` makes sudo fail instead of asking for a password."""

from __future__ import annotations

import re
from typing import Sequence

from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import Machine
from placement_recovery.restart.process import ProgramResult


def run_privileged(machine: Machine, words: Sequence[str], sudo: bool) -> ProgramResult:
    """Run `words`, through sudo or as the login itself. Raises HostFailure if sudo refuses to run them."""
    if not sudo:
        return machine.run(words)
    result = machine.run(["sudo", "-n", *words])
    if _is_refusal(result):
        raise _refusal(machine, result, words)
    return result


def check_permitted(machine: Machine, words: Sequence[str]) -> None:
    """Ask sudo, without running anything, whether the login may run `words`. Raises HostFailure if not.

    `sudo -l COMMAND` exits with 1 if the rules do not permit it, and asks for a password unless some rule of the login
    has NOPASSWD (sudoers(5), listpw). So a login that has NOPASSWD only for another command passes this check.
    """
    result = machine.run(["sudo", "-n", "-l", *words])
    if result.status != 0:
        raise _refusal(machine, result, words)


def _is_refusal(result: ProgramResult) -> bool:
    """Return whether sudo failed, in any language, and not the program that it was to run."""
    pattern = r"^sudo: |may not run sudo|is not allowed to execute"
    return result.status == 1 and bool(re.search(pattern, result.stderr, re.MULTILINE))


def _refusal(machine: Machine, result: ProgramResult, words: Sequence[str]) -> HostFailure:
    if result.status != 1:
        fact = f"sudo cannot be used (status {result.status})"
    elif re.search(r"command not found", result.stderr):
        fact = f"sudo does not find {words[0]}"
    elif re.search(r"password is required|terminal is required|must have a tty|no tty present", result.stderr):
        fact = "sudo asks for a password"
    else:
        fact = "sudo does not permit it"
    command = " ".join(words)
    return HostFailure(
        f"{machine.name}: {fact}. Permit the login \"{command}\" with NOPASSWD in sudoers there, or set "
        f"restart_sudo to false if the login needs no sudo. Output: {result.message}"
    )
