"""A log of nova-compute that grows and is rotated, and the service of a sensor that follows it."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.watch import Watch

_TIME = "2026-11-22 11:00:{0:02}"
_CONTEXT = "[req-{0:08}-aaaa-4000-8000-000000000000 - - - - -]"
NOISE = (
    f"{_TIME}.001 7 INFO nova.compute.resource_tracker {_CONTEXT} Final resource view: name=compute-0 phys_ram=8192MB"
    " used_ram=512MB phys_disk=1024GB used_disk=0GB total_vcpus=8\n"
)
FAULT = (
    f"{_TIME}.002 7 ERROR nova.scheduler.client.report {_CONTEXT} [req-11111111-2222-4333-8444-555555555555] Failed to"
    " create resource provider record in placement API for UUID {0:08}-1111-4222-8333-444444444444. Got 409:"
    ' {{"errors": [{{"status": 409, "title": "Conflict", "detail": "There was a conflict when trying to complete your'
    ' request.\\n\\n Conflicting resource provider name: {1} already exists.  ",'
    ' "request_id": "req-11111111-2222-4333-8444-555555555555", "code": "placement.duplicate_name"}}]}}.\n'
    f"{_TIME}.003 7 ERROR nova.compute.manager {_CONTEXT} Error updating resources for node {{1}}.:"
    " nova.exception.ResourceProviderCreationFailed: Failed to create resource provider {1}\n"
    f"{_TIME}.003 7 ERROR nova.compute.manager Traceback (most recent call last):\n"
)


def noise(number: int = 0) -> bytes:
    """A harmless line."""
    return NOISE.format(number).encode()


def fault(number: int, node: str = "compute-0") -> bytes:
    """The lines of one fault; each number is another request."""
    return FAULT.format(number, node).encode()


class Dispatched(NamedTuple):
    """A dispatched trigger."""

    payload: Dict[str, str]
    trace_tag: str


class Killed(BaseException):
    """Stands for SIGKILL: no handler catches it."""


class KeyValuePair(NamedTuple):
    """One listed value."""

    name: str
    value: str


class Service:
    """A sensor's service with its datastore in memory; it outlives the sensor. `fail` may fail each call."""

    def __init__(self) -> None:
        self.values: Dict[str, str] = {}
        self.dispatched: List[Dispatched] = []
        self.fail: Callable[[str], Optional[BaseException]] = lambda call: None

    def get_value(self, name: str) -> Optional[str]:
        """Return None also for an error, as StackStorm does."""
        return None if self.fail("get_value") else self.values.get(name)

    def list_values(self, *, prefix: str) -> List[Any]:
        """Raise errors, as StackStorm does."""
        self._obey("list_values")
        return [KeyValuePair(f"placement_recovery.LogSensor:{name}", value) for name, value in self.values.items()]

    def set_value(self, name: str, value: str) -> bool:
        """Raise errors, as StackStorm does."""
        self._obey("set_value")
        self.values[name] = value
        return True

    def dispatch(self, trigger: str, payload: Dict[str, str], trace_tag: str) -> None:
        """Keep the trigger."""
        self._obey("dispatch")
        self.dispatched.append(Dispatched(payload, trace_tag))

    def _obey(self, call: str) -> None:
        error = self.fail(call)
        if error is not None:
            raise error


class Log:
    """One log file, its writer and its logrotate."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, data: bytes) -> None:
        """Append, reopening the file as a logger does after a rotation."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(data)

    def rename(self) -> None:
        """logrotate's default: the file is renamed, and a new one created."""
        self._shift()
        os.rename(self.path, self._old(1))
        self.path.touch()

    def copytruncate(self) -> None:
        """The file is copied, then truncated."""
        self._shift()
        shutil.copy(self.path, self._old(1))
        os.truncate(self.path, 0)

    def compress(self) -> None:
        """The file is renamed and compressed at once, and a new one created."""
        self.rename()
        with self._old(1).open("rb") as plain, gzip.open(f"{self._old(1)}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        self._old(1).unlink()

    def copy_and_compress(self) -> None:
        """copytruncate, and the copy is compressed at once."""
        self.copytruncate()
        with self._old(1).open("rb") as plain, gzip.open(f"{self._old(1)}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        self._old(1).unlink()

    def _shift(self) -> None:
        for number in range(8, 0, -1):
            for end in ("", ".gz"):
                old = Path(f"{self._old(number)}{end}")
                if old.exists():
                    old.rename(f"{self._old(number + 1)}{end}")

    def _old(self, number: int) -> Path:
        return Path(f"{self.path}.{number}")


class Times:
    """Two clocks that stand still until they are moved."""

    def __init__(self) -> None:
        self.passed = 0.0

    def seconds(self) -> float:
        """Monotonic."""
        return self.passed

    def now(self) -> float:
        """Since the epoch."""
        return 1_800_000_000 + self.passed


class Sensor:
    """A sensor that can be killed and restarted on the same service."""

    def __init__(self, service: Service, *globs: Path, cooldown: float = 0, from_start: bool = False) -> None:
        self.service, self.times = service, Times()
        self.logger = logging.getLogger("test")
        self._options = ([LogGlob(str(one)) for one in globs], self.logger, from_start, cooldown)
        self.watch: Watch
        self.start()

    def start(self) -> None:
        """Start, or kill and restart: only the datastore remains of the old one."""
        self.watch = Watch(self.service, *self._options, self.times.seconds, self.times.now)

    def poll(self, times: int = 1) -> List[str]:
        """Poll, 5 s apart; return the nodes of all triggers so far, in order."""
        for _ in range(times):
            self.watch.poll()
            self.times.passed += 5
        return self.nodes

    def save(self) -> None:
        """Let enough time pass for it to save its positions."""
        self.times.passed += 60
        self.poll()

    @property
    def nodes(self) -> List[str]:
        """The nodes of all triggers so far."""
        return [one.payload["node"] for one in self.service.dispatched]

    @property
    def uuids(self) -> List[str]:
        """The numbers of the faults that were dispatched."""
        return [str(int(one.payload["compute_node_uuid"][:8])) for one in self.service.dispatched]
