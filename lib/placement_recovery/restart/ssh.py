"""A machine reached by OpenSSH's client, which applies ssh_config, jump hosts, keys, certificates and known_hosts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Sequence

from placement_recovery.errors import HostFailure
from placement_recovery.restart.machine import Machine, timed_out
from placement_recovery.restart.process import ProgramResult, run

SSH = "ssh"
# ssh's own failure; every other status is that of the remote program (ssh(1), "Exit status").
SSH_FAILED = 255
MAX_CONNECT_SECONDS = 15


class Reason(NamedTuple):
    """A cause of a failure of ssh: the pattern of its error output, what it means, and what to do."""

    pattern: str
    fact: str
    advice: str


CONNECTING = r"(?:connect to \S+ \S+ port \d+|connect failed): "

DROPPED = Reason(
    r"exchange_identification|Connection (?:to \S+ )?(?:closed|reset)|closed by remote host|Broken pipe",
    "the connection was dropped; whether the command ran there is not known",
    "Check nova-compute and sshd's log there",
)

# Specific causes first: failures of a jump host or a changed key end in "connection closed" as well.
# These are the texts that OpenSSH prints; its client is not translated.
REASONS = (
    Reason(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY",
        "its host key is not the one in known_hosts: it was reinstalled, or somebody intercepts the connection",
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
        "Correct the file that ssh names",
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
        "the network has no route to it",
        "Check the network, or set ProxyJump in ssh_config",
    ),
    Reason(
        r"Connection timed out|Operation timed out|Connection to \S+ port \d+ timed out|Timeout, server \S+ not resp",
        "its SSH port did not answer in time",
        "Check that the machine is up and that no firewall blocks SSH",
    ),
    Reason(
        r"UNPROTECTED PRIVATE KEY FILE",
        "others may read the private key, so ssh did not use it",
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
        "Upgrade the older of the two, or enable an algorithm that both have in ssh_config",
    ),
    DROPPED,
)

UNKNOWN_REASON = Reason(
    "",
    "ssh gave no known reason: the connection broke, or the command there was killed or ended with 255 itself",
    "Check nova-compute there",
)


@dataclass(frozen=True)
class SshMachine(Machine):
    """The machine at the SSH target `target`. A `config_file` replaces the user's and the system's ssh_config."""

    target: str
    config_file: str = ""

    @property
    def name(self) -> str:
        """The name used in messages."""
        return f"{self.host} (SSH target {self.target})"

    def run(self, words: Sequence[str]) -> ProgramResult:
        """Run a program on the remote machine to its end.

        Raises HostFailure if ssh fails or the deadline passes; the remote program may then still be running.
        """
        arguments = ssh_arguments(self.target, self.config_file, connect_seconds(self.deadline.left()), words)
        try:
            result = run(arguments, self.deadline.left(), _environment())
        except subprocess.TimeoutExpired as error:
            raise timed_out(self, words) from error
        except OSError as error:
            raise _no_client(error) from error
        if result.status == SSH_FAILED:
            raise self._failure(result)
        return result

    def _failure(self, result: ProgramResult) -> HostFailure:
        found = (reason for reason in REASONS if re.search(reason.pattern, result.stderr, re.MULTILINE))
        reason = next(found, UNKNOWN_REASON)
        # The ssh of a jump host gave its reason first; then this ssh found no server at the end of the connection.
        by_jump_host = reason is not DROPPED and "exchange_identification" in result.stderr
        where = "a jump host or proxy on the way failed: " if by_jump_host else ""
        by_hand = shlex.join([SSH, *_config(self.config_file), self.target])
        return HostFailure(
            f"{self.name}: {where}{reason.fact}. {reason.advice}. By hand: {by_hand}. Output of ssh: {result.message}"
        )


def ssh_arguments(target: str, config_file: str, connect_timeout: int, words: Sequence[str]) -> List[str]:
    """Build the argument list of ssh; `target` has been checked, `words` are quoted for the remote shell.

    Options given here override ssh_config, so StrictHostKeyChecking is not among them: its default is "ask", and
    BatchMode answers each question with no, so unknown host keys are refused unless the operator's ssh_config says
    otherwise. A changed key is refused by every setting but "no".
    """
    options = (
        "BatchMode=yes",
        f"ConnectTimeout={connect_timeout}",
        "ControlMaster=no",  # a shared connection is used, but none is left behind
        "ClearAllForwardings=yes",  # a forwarded port that is already in use must not fail the command
        "LogLevel=ERROR",  # no banner among the errors, and errors even where ssh_config is quiet
    )
    flags = [part for option in options for part in ("-o", option)]
    command = " ".join(shlex.quote(word) for word in words)
    return [SSH, "-T", *flags, *_config(config_file), "--", target, command]


def connect_seconds(left: float) -> int:
    """Seconds that ssh may take to connect: less than the time left, so that ssh reports its own error."""
    return max(1, min(MAX_CONNECT_SECONDS, int(left) - 1))


def _config(config_file: str) -> List[str]:
    return ["-F", os.path.expanduser(config_file)] if config_file else []


def _environment() -> Dict[str, str]:
    # BatchMode does not reach the ssh that ProxyJump starts; without a terminal this stops it from asking.
    return {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}


def _no_client(error: OSError) -> HostFailure:
    return HostFailure(
        f"OpenSSH's client cannot be started on the machine that runs this: {SSH}: {error.strerror}. "
        "Install openssh-client (openssh-clients on RHEL) and check that it is on PATH"
    )
