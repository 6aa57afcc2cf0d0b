"""A lab: real Keystone, Placement and Nova on loopback, with as many nova-compute processes as asked for.

``with Lab() as lab:`` starts one and clears it away, whatever happens to this process. ``Lab.open(folder)``
takes hold of one that another command has started.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from lab import environments
from lab.openstack import settings
from lab.openstack.admin import AdminClient
from lab.openstack.computes import START_SECONDS, Computes
from lab.openstack.databases import Databases
from lab.openstack.guardian import Guardian, remove
from lab.openstack.launch import Launcher
from lab.openstack.processes import Process
from lab.openstack.settings import Ports
from lab.openstack.web import answers
from lab.waiting import LabError, LogMark, wait_until

RELEASES = ("26", "30", "32", "34")
COMPUTES = ("compute-0", "compute-1")
BASE = ("broker", "glance-and-neutron", "keystone", "placement")  # the others complain where these do not answer yet


def tell(text: str) -> None:
    """Progress for a person, on stderr."""
    print(text, file=sys.stderr, flush=True)


class Lab(Computes):
    """One cloud, in one folder. Without computes it is Keystone, Placement and nova-api only."""

    def __init__(
        self,
        release: str = "34",
        computes: Sequence[str] = COMPUTES,
        folder: Path | None = None,
        *,
        keep: bool = False,
        vcpus: int = 32,
        compute_options: settings.Sections | None = None,
        ports: Ports | None = None,
        say: Callable[[str], None] = tell,
    ) -> None:
        if release not in RELEASES:
            raise LabError(f"there is no lab with nova {release!r}; there are: {', '.join(RELEASES)}")
        self.release, self.computes, self.keep = release, tuple(computes), keep
        unnamed = Path(tempfile.gettempdir(), f"placement-recovery-lab-{secrets.token_hex(4)}")
        self.folder = (folder or unnamed).resolve()
        self.ports = ports or Ports.free()
        self.logs, self.clouds_yaml = self.folder / "logs", self.folder / "clouds.yaml"
        self.keystone_url = self.ports.url("keystone", "/v3")
        self.placement_url = self.ports.url("placement")
        self.nova_url = self.ports.url("nova_api", "/v2.1")
        self.client = AdminClient(self.keystone_url, self.nova_url, self.placement_url)
        self._say, self._vcpus = say, vcpus
        self._compute_options = compute_options or {}  # sections and options for each host's nova.conf
        self._guardian: Guardian | None = None
        self._launcher: Launcher | None = None

    @classmethod
    def open(cls, folder: Path, say: Callable[[str], None] = tell) -> Lab:
        """The lab that runs in ``folder``; LabError if there is none."""
        state = folder.resolve() / "lab.json"
        if not state.exists():
            raise LabError(f"there is no lab in {folder}; start one with: python3 -m lab up --folder {folder}")
        recorded = json.loads(state.read_text())
        ports = Ports(**recorded["ports"])
        kept = {name: recorded[name] for name in ("vcpus", "compute_options")}
        return cls(recorded["release"], recorded["computes"], folder, **kept, ports=ports, say=say)

    # Life

    def __enter__(self) -> Lab:
        return self.up()

    def __exit__(self, *_exception: object) -> None:
        self.down()

    def up(self, detached: bool = False) -> Lab:
        """Starts everything and waits until it can be used; nothing is left if it fails.

        ``detached``: the lab outlives this process, and ends with ``down`` from any process.
        """
        if self.folder.exists() and any(self.folder.iterdir()):
            command = f"python3 -m lab down --folder {self.folder}"
            raise LabError(f"{self.folder} is not empty; if it holds a lab, end that with: {command}")
        try:
            self._launcher = self._make_launcher()
            self._write_state()
            self._guardian = None if detached else Guardian(self.folder, self.keep)
            self._write()
            self._start()
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """Ends all its processes, also those of a start that went wrong, and removes the folder unless kept."""
        remove(self.folder, self.keep)
        if self._guardian:
            self._guardian.close()
            self._guardian = None

    def _write_state(self) -> None:
        """lab.json comes first: it is the sign by which a lab is found and its folder may be removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "release": self.release,
            "computes": self.computes,
            "vcpus": self._vcpus,
            "compute_options": self._compute_options,
            "ports": asdict(self.ports),
        }
        (self.folder / "lab.json").write_text(json.dumps(state, indent=2))

    def _write(self) -> None:
        for name in ("db", "etc", "hosts", "logs", "run", "state"):
            (self.folder / name).mkdir()
        settings.write_keystone(self.folder, self.ports)
        settings.write_placement(self.folder, self.ports, self.release)
        settings.write_nova(self.folder, self.ports, self.release, self.nova_etc)
        self.write_clouds_yaml(self.clouds_yaml)

    def _start(self) -> None:
        launcher = self.launcher
        Databases(self.folder, self._venv, self.ports, launcher.run, self._say).prepare(self._keystone_for_a_while)
        self._say(f"starting nova {self.release} with {len(self.computes)} nova-compute in {self.folder}")
        self.start(*BASE)
        control = ("nova-api", "conductor", "scheduler") if self.computes else ("nova-api",)
        bus = LogMark(self.log("broker"))
        for name in control:
            self.process(name).start()
        for host in self.computes:  # they wait for the conductor by themselves
            self.launch_compute(host, "")
        for name in (*control, *self.computes):
            self.wait_for_service(name, bus)
        for host in self.computes:
            self.wait_for_hypervisor(host)
            self.wait_for_provider(host)
        self._say("the lab is up")

    @contextlib.contextmanager
    def _keystone_for_a_while(self) -> Iterator[str]:
        self.start("keystone")
        try:
            yield self.keystone_url
        finally:
            self.stop("keystone")

    # Services

    def start(self, *names: str) -> None:
        """Starts services of the control plane, all at once, and waits until each answers."""
        bus = LogMark(self.log("broker"))
        for name in names:
            self.process(name).start()
        for name in names:
            self.wait_for_service(name, bus)

    def stop(self, *names: str, hard: bool = False) -> None:
        """Ends services; ``hard`` is SIGKILL."""
        for name in names:
            self.process(name).stop(hard)

    def restart(self, *names: str) -> None:
        """Stops and starts services."""
        self.stop(*names)
        self.start(*names)

    def pause(self, name: str) -> None:
        """Freezes a service: it accepts connections and answers nothing."""
        self.process(name).pause()

    def resume(self, name: str) -> None:
        """Lets a frozen service go on."""
        self.process(name).resume()

    def wait_for_service(self, name: str, bus: LogMark) -> None:
        """A web service answers; the others have subscribed to their own queue since ``bus``."""
        addresses = {
            "keystone": self.keystone_url,
            "placement": self.placement_url,
            "nova-api": self.ports.url("nova_api"),
            "glance-and-neutron": self.ports.url("glance_and_neutron", "/image"),
        }
        queue = f"compute@{name}" if self.launcher.is_compute(name) else f"{name}@controller"
        sign = "listening on" if name == "broker" else f"subscribed nova/{queue}"

        def ready() -> object:
            process.require()  # who died will not answer: say so now, not when the time is up
            return answers(addresses[name]) if name in addresses else bus.lines(sign)

        process = self.process(name)
        wait_until(f"{name} answers", ready, START_SECONDS, process.log)

    # Looking

    def log(self, name: str) -> Path:
        """The log of a service, or of a host's nova-compute."""
        return self.logs / f"{name}.log"

    def mark(self, name: str) -> LogMark:
        """The present end of a log, to read or await what comes after it."""
        return LogMark(self.log(name))

    def status(self) -> dict[str, str]:
        """Each service and whether it runs."""
        processes = (self.process(name) for name in self.launcher.names())
        return {process.name: f"running, process {process.pid}" if process.pid else "stopped" for process in processes}

    def write_clouds_yaml(self, path: Path, placement_url: str | None = None, compute_url: str | None = None) -> Path:
        """A clouds.yaml with the clouds ``lab`` and ``lab-demo``; addresses given here override the catalogue's."""
        given = {"placement_endpoint_override": placement_url, "compute_endpoint_override": compute_url}
        path.write_text(settings.clouds(self.ports, {name: url for name, url in given.items() if url}))
        path.chmod(0o600)
        return path

    # Nova's environment

    @property
    def nova_python(self) -> Path:
        """The interpreter of nova's environment; ``run_python`` runs a script with all that it needs."""
        return self.launcher.python

    def run_python(self, script: Path, *arguments: str) -> str:
        """The output of a script in nova's environment; nova.conf is in the folder OS_NOVA_CONFIG_DIR."""
        return self.launcher.run_python(script, *arguments)

    def nova_manage(self, *arguments: str) -> None:
        """Runs nova-manage; its output goes to its log."""
        self.launcher.run("nova-manage", *arguments)

    def process(self, name: str) -> Process:
        """The process of a service, or of a host's nova-compute."""
        return self.launcher.process(name)

    @property
    def launcher(self) -> Launcher:
        """What starts the processes; made when first needed, since it wants the environment installed."""
        if self._launcher is None:
            self._launcher = self._make_launcher()
        return self._launcher

    def _make_launcher(self) -> Launcher:
        return Launcher(self.folder, environments.ensure(f"nova-{self.release}"), self.ports, self._vcpus)

    @property
    def _venv(self) -> Path:
        return self.nova_python.parent.parent

    @property
    def nova_etc(self) -> Path:
        """Nova's own configuration files in its environment."""
        return self._venv / "etc" / "nova"
