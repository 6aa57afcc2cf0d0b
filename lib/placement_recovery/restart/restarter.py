"""Restart nova-compute with the strategy that the configuration chose."""

from __future__ import annotations

import re
import time
from typing import Callable, Union

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError, HostFailure
from placement_recovery.names import check_host_name, ssh_target
from placement_recovery.restart.machine import THIS_MACHINE, Machine, is_this_machine
from placement_recovery.restart.process import Deadline
from placement_recovery.restart.ssh import SshMachine
from placement_recovery.restart.strategies import Command, Container, SystemdUnit

Strategy = Union[SystemdUnit, Container, Command]

# systemd.unit(5), without the characters that form a pattern for several units.
_UNIT = r"[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,254}"
# Container names that docker and podman accept.
_CONTAINER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}"


class Restarter:
    """Restarts nova-compute on any host, as one configuration says.

    Raises ConfigurationError for a name in the configuration that is not valid for a unit, container or program.
    Tests replace `clock` and `pause`.
    """

    def __init__(
        self,
        config: Config,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._clock = clock
        self._pause = pause
        _check_names(config)

    @property
    def may_restart(self) -> bool:
        """False if restart_how is never."""
        return self._config.restart_how != "never"

    def probe(self, host: str) -> str:
        """Check that a restart on `host` would work, without changing anything there, and return a sentence on it.

        Raises InvalidInput for an invalid host name, ConfigurationError for an invalid SSH target, and HostFailure if a
        restart would fail: with the cause, the host and what to do.
        """
        check_host_name(host)
        if not self.may_restart:
            return f"by hand on {host}, then resume: restart_how is never in the pack's configuration"
        return self._strategy().probe(self._machine(host))

    def restart(self, host: str) -> str:
        """Restart nova-compute on `host`, check that it is up again, and return a sentence on it.

        This takes at most restart_timeout. Raises like `probe`; after a time-out or a dropped connection it is unknown
        whether nova-compute was restarted, and it is safe to call this again.
        """
        check_host_name(host)
        if not self.may_restart:
            raise HostFailure(
                f"{host}: restart_how is never, so nova-compute was not restarted. Restart it by hand, then resume"
            )
        return self._strategy().restart(self._machine(host))

    def _machine(self, host: str) -> Machine:
        deadline = Deadline(self._config.restart_timeout, self._clock, self._pause)
        if self._config.restart_where == "ssh":
            return SshMachine(host, deadline, ssh_target(self._config, host), self._config.ssh_config_file)
        # A command may reach any host; systemctl, docker and podman reach nova-compute on this machine only.
        if self._config.restart_how != "command" and not is_this_machine(host, self._config.ssh_targets):
            raise HostFailure(
                f"{host} is not this machine, so its nova-compute cannot be restarted locally. Set restart_where to "
                f"ssh; or, if {host} is Nova's name for this machine, map it to {THIS_MACHINE} in ssh_targets"
            )
        return Machine(host, deadline)

    def _strategy(self) -> Strategy:
        config = self._config
        if config.restart_how == "systemd":
            return SystemdUnit(config.restart_unit, config.restart_sudo)
        if config.restart_how == "command":
            return Command(config.restart_command, config.restart_probe_command)
        return Container(config.restart_how, config.restart_container, config.restart_sudo)


def _check_names(config: Config) -> None:
    if not re.fullmatch(_UNIT, config.restart_unit):
        raise ConfigurationError(f"restart_unit {config.restart_unit!a} is not the name of one systemd unit")
    if not re.fullmatch(_CONTAINER, config.restart_container):
        raise ConfigurationError(f"restart_container {config.restart_container!a} is not a container name")
    for option, words in (
        ("restart_command", config.restart_command),
        ("restart_probe_command", config.restart_probe_command),
    ):
        if words and (not words[0] or words[0].startswith("-")):
            raise ConfigurationError(f"{option} begins with {words[0]!a}, which is not a program")
        if any("\0" in word for word in words):
            raise ConfigurationError(f"{option} contains a NUL character")
