"""Machines on which programs run; Machine is the local one."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from typing import Mapping, Sequence

from placement_recovery.errors import HostFailure
from placement_recovery.restart.process import Deadline, ProgramResult, run

# Exit statuses of a POSIX shell, which ssh passes on.
NOT_EXECUTABLE = 126
NOT_FOUND = 127

THIS_MACHINE = "localhost"


@dataclass(frozen=True)
class Machine:
    """The local machine, on behalf of one compute host. All programs that run on it share one deadline."""

    host: str
    deadline: Deadline

    @property
    def name(self) -> str:
        """The name used in messages."""
        return f"{self.host} (this machine)"

    def run(self, words: Sequence[str]) -> ProgramResult:
        """Run a program to its end. Raises HostFailure if it exceeds the deadline."""
        try:
            return run(words, self.deadline.left())
        except subprocess.TimeoutExpired as error:
            raise timed_out(self, words) from error
        except FileNotFoundError:
            return ProgramResult(NOT_FOUND, "", f"{words[0]}: not found")
        except OSError as error:
            return ProgramResult(NOT_EXECUTABLE, "", f"{words[0]}: {error.strerror}")


def timed_out(machine: Machine, words: Sequence[str]) -> HostFailure:
    """Build the error for a program that exceeded the deadline."""
    return HostFailure(
        f"{machine.name}: {words[0]} did not end within {machine.deadline.seconds:g} s and was stopped. Processes "
        "that it started may still be running. Check nova-compute there; if it is only slow, raise restart_timeout"
    )


def is_this_machine(host: str, ssh_targets: Mapping[str, str]) -> bool:
    """Return whether `host` is this machine: it is mapped to localhost, or it is this machine's host name.

    If one of the two names has no domain, only the first labels are compared.
    """
    if ssh_targets.get(host) == THIS_MACHINE:
        return True
    theirs, ours = host.lower(), socket.gethostname().lower()
    if "." in theirs and "." in ours:
        return theirs == ours
    return theirs.split(".")[0] == ours.split(".")[0]
