"""Restart nova-compute, the way that the configuration chose."""

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

Way = Union[SystemdUnit, Container, Command]

# systemd.unit(5), without the characters that make it a pattern for several units.
_UNIT = r"[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,254}"
# What docker and podman let a container be called.
_CONTAINER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}"


class Restarter:
    """Restarts nova-compute on any host of one configuration.

    Raises ConfigurationError where the configuration names what no unit, container or program can be called.
    `clock` and `pause` are time's own but in tests.
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
        """False where restart_how is never."""
        return self._config.restart_how != "never"

    def probe(self, host: str) -> str:
        """Try the way to `host` harmlessly, and return a sentence on what was seen. Nothing is changed there.

        Raises InvalidInput for a host that cannot be one, ConfigurationError for its SSH target, and HostFailure where
        a restart would fail: with the fact, the host and what to do.
        """
        check_host_name(host)
        if not self.may_restart:
            return f"restart_how is never: nova-compute on {host} has to make its new provider by its own periodic"
        return self._way().probe(self._machine(host))

    def restart(self, host: str) -> str:
        """Restart nova-compute of `host`, see that it is up again, and return a sentence on it.

        All of it takes restart_timeout at the most. Raises as `probe` does; after a time-out, or a connection that
        dropped, whether it was restarted is not known, and it may be called again.
        """
        check_host_name(host)
        if not self.may_restart:
            raise HostFailure(
                f"{host}: restart_how is never, so nova-compute was not restarted. Restart it by hand there, resume"
            )
        return self._way().restart(self._machine(host))

    def _machine(self, host: str) -> Machine:
        deadline = Deadline(self._config.restart_timeout, self._clock, self._pause)
        if self._config.restart_where == "ssh":
            return SshMachine(host, deadline, ssh_target(self._config, host), self._config.ssh_config_file)
        # A command may know the way to any host; systemctl, docker and podman know this machine's nova-compute only.
        if self._config.restart_how != "command" and not is_this_machine(host, self._config.ssh_targets):
            raise HostFailure(
                f"{host} is not this machine, so its nova-compute cannot be restarted locally. Set restart_where to "
                f"ssh; or, if nova only calls this machine otherwise, map {host} to {THIS_MACHINE} in ssh_targets"
            )
        return Machine(host, deadline)

    def _way(self) -> Way:
        config = self._config
        if config.restart_how == "systemd":
            return SystemdUnit(config.restart_unit, config.restart_sudo)
        if config.restart_how == "command":
            return Command(config.restart_command, config.restart_probe_command)
        return Container(config.restart_how, config.restart_container, config.restart_sudo)


def _check_names(config: Config) -> None:
    if not re.fullmatch(_UNIT, config.restart_unit):
        raise ConfigurationError(f"restart_unit {config.restart_unit!a} cannot be the name of one systemd unit")
    if not re.fullmatch(_CONTAINER, config.restart_container):
        raise ConfigurationError(f"restart_container {config.restart_container!a} is no container's name")
    for option, words in (
        ("restart_command", config.restart_command),
        ("restart_probe_command", config.restart_probe_command),
    ):
        if words and (not words[0] or words[0].startswith("-")):
            raise ConfigurationError(f"{option} begins with {words[0]!a}, which cannot be a program")
        if any("\0" in word for word in words):
            raise ConfigurationError(f"{option} has a NUL character")
