"""How each service of a lab is started: its command and its environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lab.environments import ROOT, cache_folder
from lab.openstack.processes import MARK, Process
from lab.openstack.settings import Ports
from lab.waiting import LabError, tail_of

# Anything of the caller's that would reach into the services: their Python's settings, OpenStack's, proxies.
UNWANTED = ("PYTHON", "VIRTUAL_ENV", "OS_", "LAB_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
# These have a database file to themselves, and one thread; all of nova's processes share theirs.
ONE_WRITER = ("keystone", "keystone-manage", "placement", "placement-manage")


class Launcher:
    """Makes the processes of the lab in ``folder``, which run in the virtual environment ``venv``."""

    def __init__(self, folder: Path, venv: Path, ports: Ports, vcpus: int) -> None:
        self.folder, self.python = folder, venv / "bin" / "python"
        self._ports, self._vcpus = ports, vcpus
        self._processes: dict[str, Process] = {}

    def environment(self, name: str = "") -> dict[str, str]:
        """The environment variables of the service ``name``, or of a script that works on nova's databases."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(UNWANTED)}
        path = os.pathsep.join((str(ROOT), str(ROOT / "lab" / "openstack" / "services" / "entry_points")))
        own |= {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
        own |= {f"OS_{project}_CONFIG_DIR": str(self.folder / "etc") for project in ("NOVA", "PLACEMENT", "KEYSTONE")}
        own |= {"SPT_NOENV": "1"}  # setproctitle would overwrite the environment, and the lab's mark with it
        # Where entry points are cached; nothing is left in the home folder.
        own |= {"XDG_CACHE_HOME": str(cache_folder() / "entry-points"), "LAB_VCPUS": str(self._vcpus)}
        if name not in ONE_WRITER:
            own["LAB_SQLITE_IMMEDIATE"] = "1"
        if name == "nova-api":
            own["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "true"
        if self.is_compute(name):
            own["LAB_NODE_NAME"] = self.node_file(name).read_text()
        return own

    def process(self, name: str) -> Process:
        """The process of a service; for a nova-compute, the name is its host's."""
        if name not in self._processes:
            self._processes[name] = Process(name, self._command(name), {}, self.folder)
        process = self._processes[name]
        process.environment = {**self.environment(name), MARK: str(self.folder)}
        return process

    def names(self) -> list[str]:
        """All services that were ever started in this lab, in the order of their names."""
        return sorted(path.stem for path in (self.folder / "run").glob("*.pid"))

    def hosts(self) -> list[str]:
        """The hosts that have a nova-compute, running or not."""
        return sorted(path.name for path in (self.folder / "hosts").iterdir())

    def is_compute(self, name: str) -> bool:
        """Whether ``name`` is a host's."""
        return bool(name) and self.node_file(name).exists()

    def node_file(self, host: str) -> Path:
        """The file that holds the name of the host's node."""
        return self.folder / "hosts" / host / "node"

    def run(self, name: str, *arguments: str) -> None:
        """Runs a command of the projects, e.g. nova-manage, to its end; LabError if it fails."""
        project = name.split("-")[0]
        config = ("--config-file", str(self.folder / "etc" / f"{project}.conf"))
        log = self.folder / "logs" / f"{name}.log"
        command = [str(self.python), "-m", "lab.openstack.services.run", name, *config, *arguments]
        environment = {**self.environment(name), MARK: str(self.folder)}
        with log.open("ab") as out:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        if done.returncode:
            raise LabError(f"{name} {' '.join(arguments)} ended with {done.returncode}{tail_of(log)}")

    def run_python(self, script: Path, *arguments: str) -> str:
        """What a script prints that runs in nova's environment; LabError, with its stderr, if it fails."""
        done = subprocess.run(
            [str(self.python), str(script), *arguments],
            cwd=self.folder,
            env={**self.environment(), MARK: str(self.folder)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise LabError(f"{script.name} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def _command(self, name: str) -> list[str]:
        ports, python = self._ports, str(self.python)
        if name in ("broker", "glance-and-neutron"):
            port = ports.broker if name == "broker" else ports.glance_and_neutron
            return [python, "-m", f"lab.openstack.services.{name.replace('-', '_')}", str(port)]
        served = {"keystone": ports.keystone, "placement": ports.placement, "nova-api": ports.nova_api}
        run = [python, "-m", "lab.openstack.services.run"]
        if name in served:
            return [*run, name, str(served[name])]
        if name in ("conductor", "scheduler"):
            return [*run, f"nova-{name}", "--config-file", str(self.folder / "etc" / "nova.conf")]
        return [*run, "nova-compute", "--config-file", str(self.folder / "hosts" / name / "nova.conf")]
