"""Valid names of compute hosts and SSH targets. No other name reaches a program's arguments."""

from __future__ import annotations

import ipaddress
import re

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError, InvalidInput

MAX_NAME_LENGTH = 255
# HOST_NAME_MAX of Linux; nova takes what gethostname says.
MAX_LABEL_LENGTH = 64

_MAX_SHOWN = 80

_AROUND = " \t\"'`\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb"
# http://NAME, <http://NAME> or <http://NAME|NAME>
_LINK = re.compile(r"<?https?://(?P<name>[^\s<>|/]+)/?(?:\|[^<>]*)?>?")


def check_host_name(text: str) -> str:
    """Return `text` if it is a valid name of a Nova host, else raise InvalidInput with the reason.

    nova.conf's `host` accepts a host name, FQDN or IP address, and underscores, which real clouds have (oslo.config's
    HostDomainOpt).
    """
    _check_host("host name", text, text)
    return text


def as_typed(text: str) -> str:
    """The name in what a person typed: Slack makes links of names, phones curl the quotes around them."""
    bare = text.strip(_AROUND)
    link = _LINK.fullmatch(bare)
    return link["name"] if link else bare


def check_ssh_target(text: str) -> str:
    """Return `text` if it is a Host of ssh_config, a host name or an IP address, with or without `user@` before it.

    Raises InvalidInput. Ports, unusual user names and other options belong in ssh_config, under a Host.
    """
    if text.startswith("-"):
        raise _invalid("SSH target", text, "begins with a dash; ssh would read it as an option")
    user, at, host = text.rpartition("@")
    if at and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", user):
        raise _invalid("SSH target", text, f"has the user {_shown(user)}; set an unusual user as User in ssh_config")
    _check_host("SSH target", text, host)
    return text


def ssh_target(config: Config, host: str) -> str:
    """Return the SSH target of `host`: its entry in `ssh_targets`, else the host itself.

    Raises ConfigurationError for an entry that is not a valid target, InvalidInput for an invalid host name.
    """
    check_host_name(host)
    target = config.ssh_targets.get(host, host)
    try:
        return check_ssh_target(target)
    except InvalidInput as error:
        raise ConfigurationError(f"ssh_targets, entry {host}: {error}") from error


def same_name(one: str, other: str) -> bool:
    """Whether two names are one but for their case and a trailing dot, which libvirt leaves without a domain."""
    return one.casefold().rstrip(".") == other.casefold().rstrip(".")


def same_but_for_domain(one: str, other: str) -> bool:
    """Whether one name is the other one, or that with a domain behind it; case aside."""
    shorter, longer = sorted((one.casefold(), other.casefold()), key=len)
    return longer == shorter or longer.startswith(f"{shorter}.")


def _check_host(what: str, text: str, host: str) -> None:
    if not host:
        raise _invalid(what, text, "is empty" if not text else "has no host")
    if len(text) > MAX_NAME_LENGTH:
        raise _invalid(what, text, f"is {len(text)} characters long; the maximum is {MAX_NAME_LENGTH}")
    if host.startswith("-"):
        raise _invalid(what, text, "begins with a dash; a program would read it as an option")
    if _is_ipv6(host):
        return
    invalid = re.search(r"[^A-Za-z0-9_.-]", host)
    if invalid:
        raise _invalid(what, text, f"has {invalid.group()!r}; only letters, digits, '.', '-' and '_' are allowed")
    # libvirt ends the name of a host that has no domain with a dot.
    for label in (host[:-1] if host.endswith(".") else host).split("."):
        _check_label(what, text, label)


def _check_label(what: str, text: str, label: str) -> None:
    if not label:
        raise _invalid(what, text, "has an empty part: a dot at its beginning, or two in a row")
    if len(label) > MAX_LABEL_LENGTH:
        raise _invalid(what, text, f"has a part of {len(label)} characters; the maximum is {MAX_LABEL_LENGTH}")
    if label.startswith("-") or label.endswith("-"):
        raise _invalid(what, text, f"has the part {_shown(label)} that begins or ends with a dash")


def _is_ipv6(host: str) -> bool:
    # Check the characters first: a zone (after "%") may contain anything.
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
    return ascii(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")
