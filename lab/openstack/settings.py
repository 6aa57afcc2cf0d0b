"""The files that configure a lab's services. All is on loopback, all passwords are the same toy word."""

from __future__ import annotations

import json
import random
import shutil
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PASSWORD = "secret"
REGION = "RegionOne"
UPDATE_SECONDS = 5  # nova-compute's periodic that makes its provider; 60 by default
FIRST_PORT, LAST_PORT = 20_000, 32_000  # below what Linux gives to outgoing connections

Sections = dict[str, dict[str, Any]]

# oslo.policy turned both on by default only after nova 26 and placement 8 were made.
OLD_RULES: dict[str, Sections] = {"26": {"oslo_policy": {"enforce_scope": False, "enforce_new_defaults": False}}}

# nova would check its own answers against their schemas since 2025.1, and builds a checker for each of them.
_UNCHECKED: Sections = {"api": {"response_validation": "ignore"}}
UNCHECKED_ANSWERS: dict[str, Sections] = {"32": _UNCHECKED, "34": _UNCHECKED}

# PCI devices in Placement: nova-compute reports them, nova-api knows the alias by which flavors ask for one, and the
# scheduler asks Placement for it.
PCI_VENDOR, PCI_PRODUCT, PCI_ALIAS = "8086", "1572", "nic"
_DEVICE = {"vendor_id": PCI_VENDOR, "product_id": PCI_PRODUCT}
_FILTERS = "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter"
_PCI: Sections = {
    "pci": {
        "device_spec": json.dumps(_DEVICE),
        "alias": json.dumps({"name": PCI_ALIAS, **_DEVICE, "device_type": "type-PCI"}),
        "report_in_placement": True,
    },
    "filter_scheduler": {"enabled_filters": f"{_FILTERS},PciPassthroughFilter", "pci_in_placement": True},
}
PCI_DEVICES: dict[str, Sections] = {"34": _PCI}


@dataclass(frozen=True)
class Ports:
    """Where the services of a lab listen on 127.0.0.1."""

    broker: int
    keystone: int
    placement: int
    nova_api: int
    glance_and_neutron: int

    @classmethod
    def free(cls) -> Ports:
        """A block of ports that nobody listens on; the blocks of two labs that start at once differ."""
        size = len(cls.__dataclass_fields__)
        blocks = list(range(FIRST_PORT, LAST_PORT, size))
        random.SystemRandom().shuffle(blocks)
        for first in blocks:
            if all(_is_free(port) for port in range(first, first + size)):
                return cls(*range(first, first + size))
        raise OSError(f"no {size} free ports in a row between {FIRST_PORT} and {LAST_PORT} on 127.0.0.1")

    def url(self, service: str, path: str = "") -> str:
        """The address of a service, e.g. ``url("nova_api", "/v2.1")``."""
        return f"http://127.0.0.1:{asdict(self)[service]}{path}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the services' own servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_ini(path: Path, sections: Sections) -> None:
    """Writes an oslo.config file."""
    lines: list[str] = []
    for section, options in sections.items():
        lines += [f"[{section}]", *(f"{name} = {value}" for name, value in options.items()), ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def credentials(ports: Ports, user: str) -> dict[str, Any]:
    """The options by which a service logs in at Keystone."""
    return {
        "auth_type": "password",
        "auth_url": ports.url("keystone", "/v3"),
        "username": user,
        "password": PASSWORD,
        "user_domain_name": "Default",
        "project_name": "service",
        "project_domain_name": "Default",
        "region_name": REGION,
    }


def token_check(ports: Ports, user: str) -> dict[str, Any]:
    """The options by which a service has its callers' tokens checked."""
    return {**credentials(ports, user), "www_authenticate_uri": ports.url("keystone", "/v3")}


def database(folder: Path, name: str) -> str:
    """SQLAlchemy's address of one of the lab's databases."""
    return f"sqlite:///{folder}/db/{name}.db?timeout=60"


def joined(sections: Sections, more: Sections) -> Sections:
    """The options of both; where both set one, that of ``more`` counts."""
    return {name: {**sections.get(name, {}), **more.get(name, {})} for name in {**sections, **more}}


def write_keystone(folder: Path, ports: Ports) -> None:
    """etc/keystone.conf."""
    write_ini(
        folder / "etc" / "keystone.conf",
        {
            "DEFAULT": {"public_endpoint": ports.url("keystone"), "log_options": False},
            "database": {"connection": database(folder, "keystone")},
            "fernet_tokens": {"key_repository": folder / "db" / "fernet"},
            "fernet_receipts": {"key_repository": folder / "db" / "fernet"},
            "credential": {"key_repository": folder / "db" / "credential"},
            "identity": {
                "password_hash_rounds": 4,
                "max_password_length": 72,
            },  # the passwords are no secret, the time is
            "token": {"expiration": 86400},
            "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
        },
    )


def write_placement(folder: Path, ports: Ports, release: str) -> None:
    """etc/placement.conf."""
    sections: Sections = {
        "DEFAULT": {"use_stderr": True, "log_options": False},
        "api": {"auth_strategy": "keystone"},
        "placement_database": {"connection": database(folder, "placement")},
        "keystone_authtoken": token_check(ports, "placement"),
    }
    write_ini(folder / "etc" / "placement.conf", {**sections, **OLD_RULES.get(release, {})})


def write_nova(folder: Path, ports: Ports, release: str, etc: Path) -> None:
    """etc/nova.conf and etc/api-paste.ini, for everything of nova but nova-compute."""
    sections = nova(folder, ports, release, etc, host="controller", state=folder / "state")
    sections["database"] = {"connection": database(folder, "cell1")}
    sections["api_database"] = {"connection": database(folder, "api")}
    write_ini(folder / "etc" / "nova.conf", sections)
    shutil.copy(etc / "api-paste.ini", folder / "etc" / "api-paste.ini")


def write_compute(folder: Path, ports: Ports, release: str, etc: Path, host: str, options: Sections) -> Path:
    """hosts/HOST/nova.conf for one nova-compute, with ``options`` of its own; no way to a database. Gives the file."""
    home = folder / "hosts" / host
    sections = nova(folder, ports, release, etc, host, state=home / "state")
    write_ini(home / "nova.conf", joined(sections, options))
    (home / "state" / "instances").mkdir(parents=True, exist_ok=True)
    return home / "nova.conf"


def nova(folder: Path, ports: Ports, release: str, etc: Path, host: str, state: Path) -> Sections:
    """What all of nova's services share; ``etc`` is nova's folder of the environment."""
    sections: Sections = {
        "DEFAULT": {
            "host": host,
            "my_ip": "127.0.0.1",
            "use_stderr": True,
            "log_options": False,
            "transport_url": transport(ports),
            "state_path": state,
            "enabled_apis": "osapi_compute",
            "compute_driver": "lab.LabDriver",
            "rootwrap_config": etc / "rootwrap.conf",
            "report_interval": 5,
            "update_resources_interval": UPDATE_SECONDS,
            "periodic_fuzzy_delay": 0,
            "heal_instance_info_cache_interval": -1,  # there are no networks
        },
        "keystone_authtoken": token_check(ports, "nova"),
        "service_user": {"send_service_user_token": False},
        "placement": credentials(ports, "nova"),
        "neutron": {**credentials(ports, "nova"), "endpoint_override": ports.url("glance_and_neutron", "/network")},
        "glance": {"region_name": REGION, "endpoint_override": ports.url("glance_and_neutron", "/image")},
        "oslo_concurrency": {"lock_path": state / "locks"},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 2},
        # The image is a stand-in's and there are no zones: what is left is what a recovery meets.
        "filter_scheduler": {"enabled_filters": _FILTERS},
        "quota": dict.fromkeys(("instances", "cores", "ram"), -1),
        "vnc": {"enabled": False},
        "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
    }
    sections = {**sections, **OLD_RULES.get(release, {}), **UNCHECKED_ANSWERS.get(release, {})}
    return joined(sections, PCI_DEVICES.get(release, {}))


def transport(ports: Ports) -> str:
    """The transport_url of the lab's message bus."""
    return f"lab://127.0.0.1:{ports.broker}/"


def clouds(ports: Ports, overrides: dict[str, str]) -> str:
    """A clouds.yaml (JSON is YAML) with the clouds ``lab`` (admin) and ``lab-demo`` (a plain member)."""

    def cloud(user: str) -> dict[str, Any]:
        auth = {
            "auth_url": ports.url("keystone", "/v3"),
            "username": user,
            "password": PASSWORD,
            "project_name": user,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        return {"auth": auth, "region_name": REGION, "identity_api_version": "3", **overrides}

    return json.dumps({"clouds": {"lab": cloud("admin"), "lab-demo": cloud("demo")}}, indent=2) + "\n"
