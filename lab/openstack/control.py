"""The files through which a test and a host's nova-compute speak: holds, periodics, and what the driver reports.

They lie in ``hosts/HOST/control``. The test's side is ``lab.openstack.holds``, nova-compute's are ``periodics`` and
``virt`` in ``lab.openstack.services``; nothing of nova is imported here.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Where a periodic of nova-compute's resource tracker can be held, in the order in which it passes them.
POINTS = {
    "before-lookup": "before the resource tracker looks up its provider by the compute node's UUID",
    "before-creation": "Placement has no provider with that UUID; before nova-compute creates the root",
    "before-writes": "nova-compute has read the provider and its tree; before it writes to them",
    "end": "nova-compute has written all, or the periodic has failed",
}


@dataclass(frozen=True)
class Request:
    """A test's wish to hold one periodic; ``limit`` is in seconds from the moment at which the point is reached."""

    token: str
    limit: float


@dataclass(frozen=True)
class Periodic:
    """An ended periodic: its number on this host, and its exception as ``Class: message``, empty if it succeeded."""

    number: int
    error: str


@dataclass(frozen=True)
class Resources:
    """What the driver reports beside, or in place of, its own: resource classes with their totals.

    ``children`` maps a suffix to the inventory of the provider ``<node>_<suffix>``. ``pci`` are the addresses of PCI
    devices that guests may have; nova 34 itself makes a provider ``<node>_<address>`` of each. With
    ``pinned_guests`` the driver behaves as libvirt's does for guests with pinned CPUs: it raises ReshapeNeeded on a
    root without PCPU.
    """

    inventory: Mapping[str, int] = field(default_factory=dict)
    children: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pci: Sequence[str] = ()
    pinned_guests: bool = False


class Control:
    """The control files of one host; ``host_folder`` is the lab's folder ``hosts/HOST``."""

    def __init__(self, host_folder: Path) -> None:
        self._folder = host_folder / "control"
        self._folder.mkdir(exist_ok=True)
        self._journal, self._resources = self._folder / "periodics", self._folder / "resources.json"
        self._lock = threading.Lock()

    # Holds

    def write_request(self, point: str, request: Request) -> None:
        """Asks nova-compute to stop at the point, once."""
        self._write(self._folder / f"{point}.hold", asdict(request))

    def request(self, point: str) -> Request | None:
        """The hold that is asked for at the point; None if there is none."""
        wanted = self._read(self._folder / f"{point}.hold")
        return Request(**wanted) if wanted else None

    def withdraw(self, point: str, request: Request) -> bool:
        """Ends a hold, from either side; False if it has ended already."""
        if self.request(point) != request:
            return False
        try:
            (self._folder / f"{point}.hold").unlink()
        except FileNotFoundError:  # the other side was quicker
            return False
        return True

    def write_arrival(self, point: str, request: Request, periodic: int) -> None:
        """Tells the test that this periodic stands at the point."""
        self._write(self._folder / f"{point}.reached", {"token": request.token, "periodic": periodic})

    def arrival(self, point: str, request: Request) -> int:
        """The number of the periodic that reached the point for this request; 0 if none has."""
        reached = self._read(self._folder / f"{point}.reached")
        return int(reached["periodic"]) if reached and reached["token"] == request.token else 0

    # Periodics

    def begin_periodic(self) -> int:
        """Records the begin of a periodic and gives its number, which counts on over restarts of nova-compute."""
        with self._lock:
            number = self.last_begun() + 1
            self._append({"begun": number})
        return number

    def end_periodic(self, periodic: Periodic) -> None:
        """Records the end of a periodic."""
        self._append({"ended": periodic.number, "error": periodic.error})

    def last_begun(self) -> int:
        """The number of the periodic that began last; 0 before the first."""
        return max((line.get("begun", 0) for line in self._lines()), default=0)

    def ended_periodics(self) -> list[Periodic]:
        """All periodics that have ended, in the order of their end; one that was killed is not among them."""
        return [Periodic(line["ended"], line["error"]) for line in self._lines() if "ended" in line]

    # What the driver reports

    def write_resources(self, resources: Resources) -> None:
        """Sets what the driver reports from its next periodic on."""
        self._write(self._resources, asdict(resources))

    def resources(self) -> Resources:
        """What the driver is to report; nothing special where no test has asked for it."""
        return Resources(**self._read(self._resources) or {})

    # Files

    @staticmethod
    def _write(path: Path, content: Mapping[str, Any]) -> None:
        """The other side sees the whole content or none of it."""
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.write_text(json.dumps(content))
        unfinished.replace(path)

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        return content

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry) + "\n"
        descriptor = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, line.encode())  # one write: a reader sees the whole line or none of it
        finally:
            os.close(descriptor)

    def _lines(self) -> list[dict[str, Any]]:
        if not self._journal.exists():
            return []
        return [json.loads(line) for line in self._journal.read_text().splitlines()]
