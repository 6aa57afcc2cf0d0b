"""A compute host behind SSH, the key and the ssh_config that lead to it, and a Config that uses them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from placement_recovery.config import Config
from testkit.ssh_server import KeyPair, Programs, RunningServer, host_entry, make_key, ssh_server


class Site:
    """An operator's side: the files that lead to the host `compute-0`, and what can be changed in them."""

    def __init__(self, folder: Path, server: RunningServer, host_key: KeyPair, user_key: KeyPair) -> None:
        self.folder = folder
        self.server = server
        self.host_key = host_key
        self.user_key = user_key
        self.known_hosts = folder / "known_hosts"
        self.ssh_config = folder / "ssh_config"
        self.known_hosts.write_text(f"[127.0.0.1]:{server.port} {host_key.public}\n")
        self.write_ssh_config()

    @property
    def programs(self) -> Programs:
        """What the host has on its PATH."""
        return self.server.programs

    def options(self, **changes: Any) -> Dict[str, Any]:
        """Options of ssh_config that lead to the server, and to no file of the user that runs the tests."""
        return {
            "HostName": "127.0.0.1",
            "Port": self.server.port,
            "User": "operator",
            "IdentityFile": self.user_key.path,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            **changes,
        }

    def write_ssh_config(self, **changes: Any) -> None:
        """Write ssh_config, with a Host compute-0."""
        self.ssh_config.write_text(host_entry("compute-0", self.options(**changes)))

    def config(self, **changes: Any) -> Config:
        """Build the pack's configuration: a systemd unit, unless the changes say otherwise."""
        usual = {"restart_how": "systemd", "ssh_config_file": str(self.ssh_config), "restart_timeout": 30}
        return Config.from_mapping({**usual, **changes})


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """An empty folder of made-up programs."""
    return Programs(tmp_path / "compute-0")


@pytest.fixture
def site(tmp_path: Path, programs: Programs) -> Iterator[Site]:
    """A compute host with a real SSH server, and all that leads to it."""
    if shutil.which("ssh") is None:
        pytest.fail("these tests need OpenSSH's client: install openssh-client")
    host_key, user_key = make_key(tmp_path / "host_key"), make_key(tmp_path / "user_key")
    with ssh_server(programs, host_key.path, user_key.public) as server:
        yield Site(tmp_path, server, host_key, user_key)
