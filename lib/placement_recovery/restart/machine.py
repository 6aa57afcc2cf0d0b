"""Where programs run, and this machine as such a place."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from typing import Mapping, Sequence

from placement_recovery.errors import HostFailure
from placement_recovery.restart.process import Deadline, Outcome, run

# What a POSIX shell answers, and so what ssh passes on.
NOT_EXECUTABLE = 126
NOT_FOUND = 127

THIS_MACHINE = "localhost"


@dataclass(frozen=True)
class Machine:
    """This machine, for one compute host. Everything that runs on it shares one deadline."""

    host: str
    deadline: Deadline

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.host} (this machine)"

    def run(self, words: Sequence[str]) -> Outcome:
        """Run a program to its end. Raises HostFailure where it does not end in time."""
        try:
            return run(words, self.deadline.left())
        except subprocess.TimeoutExpired as error:
            raise gave_up(self, words) from error
        except FileNotFoundError:
            return Outcome(NOT_FOUND, "", f"{words[0]}: not found")
        except OSError as error:
            return Outcome(NOT_EXECUTABLE, "", f"{words[0]}: {error.strerror}")


def gave_up(machine: Machine, words: Sequence[str]) -> HostFailure:
    """The error of a program that did not end before the deadline."""
    return HostFailure(
        f"{machine.name}: {words[0]} did not end within {machine.deadline.seconds:g} s and was given up. What it had "
        "begun there may still go on. Look at nova-compute there; if the machine is only slow, raise restart_timeout"
    )


def is_this_machine(host: str, ssh_targets: Mapping[str, str]) -> bool:
    """Whether `host` is this machine: mapped to localhost, or its host name.

    Only the first labels are compared where one of the two names has no domain.
    """
    if ssh_targets.get(host) == THIS_MACHINE:
        return True
    theirs, ours = host.lower(), socket.gethostname().lower()
    if "." in theirs and "." in ours:
        return theirs == ours
    return theirs.split(".")[0] == ours.split(".")[0]
