"""The pack's configuration, checked once and then immutable.

The options and their defaults are those of `config.schema.yaml`; a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Dict, Mapping, Tuple

from placement_recovery.errors import ConfigurationError

RESTART_HOWS = ("never", "systemd", "docker", "podman", "command")
RESTART_WHERES = ("ssh", "local")
STORES = ("datastore", "files")
AUTOMATIONS = ("disabled", "ask", "when_safe")
LOG_STARTS = ("end", "begin")

# Distributions' packages, kolla, and a central tree where the folder is the host's.
LOG_GLOBS = (
    "/var/log/nova/nova-compute.log",
    "/var/log/kolla/nova/nova-compute.log",
    "/var/log/remote/*/nova-compute.log",
)

# The labels of an alert or a Loki stream that may name the host, the most telling first.
ALERT_HOST_LABELS = (
    "nova_host", "compute_host", "host", "hostname", "nodename", "node", "node_name", "instance"
)  # fmt: skip

# StackStorm kills an action at its time-out (1200 s in the metadata of those that wait), and no handler runs then.
LONGEST_WAIT = 900

AT_LEAST_ONE = (
    "request_timeout", "concurrency", "batch_size", "restart_timeout", "provider_wait", "keep_days", "keep_records"
)

_TYPE_NAMES: Mapping[Any, str] = {
    str: "text", int: "a whole number", bool: "true or false", tuple: "a list of strings", Mapping: "a map",
}

LEAST_COMPUTE = (2, 69)
LEAST_PLACEMENT = (1, 28)


@dataclass(frozen=True)
class Config:
    """All options. Times are in seconds."""

    clouds_file: str = ""
    cloud: str = "openstack"
    compute_microversion: str = "2.69"
    placement_microversion: str = "1.39"
    request_timeout: int = 60
    concurrency: int = 8
    batch_size: int = 500
    ssh_targets: Mapping[str, str] = field(default_factory=dict)
    ssh_config_file: str = ""
    restart_how: str = "never"
    restart_where: str = "ssh"
    restart_unit: str = "nova-compute"
    restart_container: str = "nova_compute"
    restart_command: Tuple[str, ...] = ()
    restart_probe_command: Tuple[str, ...] = ()
    restart_sudo: bool = True
    restart_timeout: int = 120
    periodic_wait: int = 75
    provider_wait: int = 180
    acceptance_wait: int = 150
    refresh_wait: int = 330
    late_write_wait: int = 120
    store: str = "datastore"
    store_folder: str = "/var/lib/placement_recovery"
    keep_days: int = 90
    keep_records: int = 1000
    automation: str = "ask"
    automation_hosts: Tuple[str, ...] = ()
    cooldown: int = 300
    log_globs: Tuple[str, ...] = LOG_GLOBS
    log_start: str = "end"
    log_cooldown: int = 360
    alert_host_labels: Tuple[str, ...] = ALERT_HOST_LABELS

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Config:
        """Build from the mapping that StackStorm hands to an action. None means: the default.

        Raises ConfigurationError that names the option.
        """
        known = {option.name for option in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigurationError(f"unknown option {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        given: Dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        for name in ("restart_command", "restart_probe_command", "automation_hosts", "log_globs", "alert_host_labels"):
            if name in given:
                given[name] = _strings(name, given[name])
        if given.get("automation") is False:  # how YAML reads a bare off or no
            given["automation"] = "disabled"
        config = cls(**given)
        _check(config)
        return config


def may_automate(config: Config, host: str) -> bool:
    """Whether a trigger may recover this host, or ask for its approval."""
    if config.automation == "disabled":
        return False
    patterns = config.automation_hosts
    return not patterns or any(re.fullmatch(one, host) for one in patterns)


def microversion(text: str) -> Tuple[int, int]:
    """Parse "1.36" to (1, 36), so that microversions compare as numbers."""
    match = re.fullmatch(r"(\d+)\.(\d+)", text)
    if not match:
        raise ConfigurationError(f"{text!r} is no microversion; write it as a quoted string such as \"1.36\"")
    return int(match.group(1)), int(match.group(2))


def _strings(name: str, value: Any) -> Tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ConfigurationError(f"{name} must be a list of strings, not {value!r}")


def _check(config: Config) -> None:
    _check_types(config)
    _check_choice("restart_how", config.restart_how, RESTART_HOWS)
    _check_choice("restart_where", config.restart_where, RESTART_WHERES)
    _check_choice("store", config.store, STORES)
    _check_choice("automation", config.automation, AUTOMATIONS)
    _check_choice("log_start", config.log_start, LOG_STARTS)
    _check_least("compute_microversion", config.compute_microversion, LEAST_COMPUTE)
    _check_least("placement_microversion", config.placement_microversion, LEAST_PLACEMENT)
    for name in AT_LEAST_ONE:
        if getattr(config, name) < 1:
            raise ConfigurationError(f"{name} must be 1 or more, not {getattr(config, name)}")
    waits = ("periodic_wait", "provider_wait", "acceptance_wait", "refresh_wait", "late_write_wait", "restart_timeout")
    for name in waits:
        if not 0 <= getattr(config, name) <= LONGEST_WAIT:
            raise ConfigurationError(f"{name} must be 0 to {LONGEST_WAIT}, not {getattr(config, name)}")
    for name in ("cooldown", "log_cooldown"):
        if getattr(config, name) < 0:
            raise ConfigurationError(f"{name} must be 0 or more, not {getattr(config, name)}")
    if config.restart_how == "command" and not config.restart_command:
        raise ConfigurationError("restart_how is command, but restart_command is empty")
    for pattern in config.automation_hosts:
        _check_pattern(pattern)


def _check_types(config: Config) -> None:
    for option in fields(Config):
        default = Config.__dataclass_fields__[option.name].default
        value = getattr(config, option.name)
        wanted = Mapping if option.name == "ssh_targets" else type(default)
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            # YAML reads a bare off as false and 2.69 as a number.
            hint = "; put it in quotes" if wanted is str and isinstance(value, (bool, int, float)) else ""
            raise ConfigurationError(f"{option.name} must be {_TYPE_NAMES[wanted]}, not {value!r}{hint}")
    for host, target in config.ssh_targets.items():
        if not isinstance(host, str) or not isinstance(target, str):
            raise ConfigurationError(f"ssh_targets must map text to text, not {host!r} to {target!r}")


def _check_choice(name: str, value: str, choices: Tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _check_least(name: str, value: str, least: Tuple[int, int]) -> None:
    if microversion(value) < least:
        raise ConfigurationError(f"{name} must be {least[0]}.{least[1]} or later, not {value}")


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(f"automation_hosts: {pattern!r} is no regular expression: {error}") from error
