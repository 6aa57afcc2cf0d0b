"""A machine behind OpenSSH's client, so that ssh_config, jump hosts, keys, certificates and known_hosts count."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Sequence

from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import Machine, gave_up
from placement_recovery.restart.process import Outcome, run

SSH = "ssh"
# ssh's own failure; every other status is that of the program over there (ssh(1), "Exit status").
SSH_FAILED = 255
LONGEST_CONNECT = 15


class Reason(NamedTuple):
    """A failure of ssh: how its error output shows it, what it means, and what to do."""

    pattern: str
    fact: str
    advice: str


CONNECTING = r"(?:connect to \S+ \S+ port \d+|connect failed): "

DROPPED = Reason(
    r"exchange_identification|Connection (?:to \S+ )?(?:closed|reset)|closed by remote host|Broken pipe",
    "the connection was dropped; whether the command ran there is not known",
    "Look at nova-compute and at sshd's log there",
)

# The more telling ones first: what a jump host or a changed key causes ends in "connection closed" as well.
# The texts are those that OpenSSH prints; its client is not translated.
REASONS = (
    Reason(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY",
        "its host key is not the one in known_hosts: it was installed anew, or somebody stands in between",
        "Compare the fingerprint on its console; if it is right, replace the key in known_hosts (ssh-keygen -R first)",
    ),
    Reason(
        r"Host key verification failed|No \S+ host key is known for",
        "its host key is unknown",
        "Compare the fingerprint on its console and add the key to known_hosts of the user that runs this",
    ),
    Reason(
        r"[Bb]ad configuration option|Can't open user config file|Bad owner or permissions on|^/\S+:? line \d+: ",
        "its ssh_config cannot be used",
        "Mend the file that ssh names",
    ),
    Reason(
        r"Could not resolve hostname",
        "the name of its SSH target cannot be resolved",
        "Map the host in ssh_targets, or give the target a Host with HostName in ssh_config",
    ),
    Reason(
        CONNECTING + "Connection refused",
        "nothing listens on its SSH port",
        "Start sshd there, or set Port in ssh_config",
    ),
    Reason(
        CONNECTING + "(?:No route to host|Network is unreachable)",
        "the network has no way to it",
        "Look at the network, or set ProxyJump in ssh_config",
    ),
    Reason(
        r"Connection timed out|Operation timed out|Connection to \S+ port \d+ timed out|Timeout, server \S+ not resp",
        "its SSH port did not answer in time",
        "Look whether the machine is up and whether a firewall lets SSH through",
    ),
    Reason(
        r"UNPROTECTED PRIVATE KEY FILE",
        "the private key may be read by others, so ssh did not use it",
        "Set its mode to 0600",
    ),
    Reason(
        r"^\S+: Permission denied \(|Too many authentication failures|No supported authentication methods",
        "it accepted no key of the user that runs this",
        "Set User and IdentityFile in ssh_config and authorize the public key there; passwords are never used",
    ),
    Reason(
        r"Unable to negotiate",
        "client and server have no algorithm in common",
        "Bring the older of them up to date, or allow what both have in ssh_config",
    ),
    DROPPED,
)

UNKNOWN_REASON = Reason(
    "",
    "ssh gave no known reason: the connection broke, or the command there was killed or ended with 255 itself",
    "Look at nova-compute there",
)


@dataclass(frozen=True)
class SshMachine(Machine):
    """The machine that `target` leads to. A `config_file` replaces the user's and the system's ssh_config."""

    target: str
    config_file: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.host} (SSH target {self.target})"

    def run(self, words: Sequence[str]) -> Outcome:
        """Run a program over there to its end.

        Raises HostFailure where ssh failed, or the deadline passed: then the program may go on over there.
        """
        arguments = ssh_arguments(self.target, self.config_file, connect_seconds(self.deadline.left()), words)
        try:
            outcome = run(arguments, self.deadline.left(), _environment())
        except subprocess.TimeoutExpired as error:
            raise gave_up(self, words) from error
        except OSError as error:
            raise _no_client(error) from error
        if outcome.status == SSH_FAILED:
            raise self._failure(outcome)
        return outcome

    def _failure(self, outcome: Outcome) -> HostFailure:
        found = (reason for reason in REASONS if re.search(reason.pattern, outcome.stderr, re.MULTILINE))
        reason = next(found, UNKNOWN_REASON)
        # The ssh of a jump host gave its reason first; then this one found no SSH server at the end of it.
        on_the_way = reason is not DROPPED and "exchange_identification" in outcome.stderr
        where = "a jump host or proxy on the way failed: " if on_the_way else ""
        by_hand = shlex.join([SSH, *_config(self.config_file), self.target])
        return HostFailure(
            f"{self.name}: {where}{reason.fact}. {reason.advice}. By hand: {by_hand}. ssh said: {outcome.said}"
        )


def ssh_arguments(target: str, config_file: str, connect_timeout: int, words: Sequence[str]) -> List[str]:
    """Build the list that starts ssh; `target` is checked already, `words` are quoted for the shell over there.

    Options given here win over ssh_config, so StrictHostKeyChecking is none of them: unset it means "ask", and
    BatchMode answers each question with no, so that unknown host keys are refused unless the operator's ssh_config
    says otherwise. A changed key is refused in any case but "no".
    """
    options = (
        "BatchMode=yes",
        f"ConnectTimeout={connect_timeout}",
        "ControlMaster=no",  # a shared connection is used, but none is left behind
        "ClearAllForwardings=yes",  # a port that somebody else forwards already is no failure of ours
        "LogLevel=ERROR",  # no banner among the errors, and errors even where ssh_config is quiet
    )
    flags = [part for option in options for part in ("-o", option)]
    command = " ".join(shlex.quote(word) for word in words)
    return [SSH, "-T", *flags, *_config(config_file), "--", target, command]


def connect_seconds(left: float) -> int:
    """Seconds that ssh may take to connect: less than all, so that its own words are heard."""
    return max(1, min(LONGEST_CONNECT, int(left) - 1))


def _config(config_file: str) -> List[str]:
    return ["-F", os.path.expanduser(config_file)] if config_file else []


def _environment() -> Dict[str, str]:
    # BatchMode does not reach the ssh that ProxyJump starts; without a terminal this keeps it from asking.
    return {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}


def _no_client(error: OSError) -> HostFailure:
    return HostFailure(
        f"OpenSSH's client cannot be started on the machine that runs this: {SSH}: {error.strerror}. "
        "Install openssh-client (openssh-clients on RHEL) and see that it is on PATH"
    )
