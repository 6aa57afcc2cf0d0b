"""What a compute host and an SSH target can be called. Nothing else reaches a program's arguments."""

from __future__ import annotations

import ipaddress
import re

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError, InvalidInput

LONGEST_NAME = 255
LONGEST_LABEL = 63

_SHOWN = 80


def check_host_name(text: str) -> str:
    """Return `text` if a Nova host can be called so, else raise InvalidInput that says what is wrong.

    nova.conf's `host` takes a host name, FQDN or IP address, and underscores, which real clouds have
    (oslo.config's HostDomainOpt).
    """
    _check_host("host name", text, text)
    return text


def check_ssh_target(text: str) -> str:
    """Return `text` if it is a Host of ssh_config, a name, an IP address, or one of them after `user@`.

    Raises InvalidInput. Ports, odd user names and the like belong into ssh_config, behind a Host.
    """
    if text.startswith("-"):
        raise _invalid("SSH target", text, "begins with a dash; ssh would take it for an option")
    user, at, host = text.rpartition("@")
    if at and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", user):
        raise _invalid("SSH target", text, f"has the user {_shown(user)}; give an odd user as User in ssh_config")
    _check_host("SSH target", text, host)
    return text


def ssh_target(config: Config, host: str) -> str:
    """Return where nova-compute of `host` is reached: by `ssh_targets`, else the host itself.

    Raises ConfigurationError for an entry that cannot be a target, InvalidInput for such a host.
    """
    check_host_name(host)
    target = config.ssh_targets.get(host, host)
    try:
        return check_ssh_target(target)
    except InvalidInput as error:
        raise ConfigurationError(f"ssh_targets, entry {host}: {error}") from error


def _check_host(what: str, text: str, host: str) -> None:
    if not host:
        raise _invalid(what, text, "is empty" if not text else "has no host")
    if len(text) > LONGEST_NAME:
        raise _invalid(what, text, f"is {len(text)} characters long; {LONGEST_NAME} are the most")
    if host.startswith("-"):
        raise _invalid(what, text, "begins with a dash; a program would take it for an option")
    if _is_ipv6(host):
        return
    strange = re.search(r"[^A-Za-z0-9_.-]", host)
    if strange:
        raise _invalid(what, text, f"has {strange.group()!r}; letters, digits, '.', '-' and '_' may stand there")
    for label in host.split("."):
        _check_label(what, text, label)


def _check_label(what: str, text: str, label: str) -> None:
    if not label:
        raise _invalid(what, text, "has an empty part: a dot at its begin or end, or two in a row")
    if len(label) > LONGEST_LABEL:
        raise _invalid(what, text, f"has a part of {len(label)} characters; {LONGEST_LABEL} are the most")
    if label.startswith("-") or label.endswith("-"):
        raise _invalid(what, text, f"has the part {_shown(label)} that begins or ends with a dash")


def _is_ipv6(host: str) -> bool:
    # The characters first: a zone (after "%") may hold anything.
    if not re.fullmatch(r"[0-9A-Fa-f:.]+", host):
        return False
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _invalid(what: str, text: str, fact: str) -> InvalidInput:
    return InvalidInput(f"{what} {_shown(text)} {fact}")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
