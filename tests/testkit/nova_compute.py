"""The edge stand-in of nova-compute: what its resource tracker does to Placement, in a thread."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Type

from testkit.api import Unexpected
from testkit.placement import NOVA_INVENTORIES, Inventories, PlacementRows
from testkit.request_log import RequestLog
from testkit.rows import NovaRows

DISABLED = "COMPUTE_STATUS_DISABLED"
LOOK_SECONDS = 0.5  # when it looks again although the pack wrote nothing: a test may have, or its service changed


class NovaCompute:
    """Stands in for the nova-compute of one host towards Placement; tests/lab meets the real one.

    At each periodic (`interval` seconds, 60 in real life; left out where nothing was written) it looks whether the
    provider with the compute node's UUID is there; if not it POSTs it, and gets 409 while another one bears the name.
    Then it sets inventories, then traits (COMPUTE_STATUS_DISABLED as long as the service is disabled), and leaves alone
    what others added. In use:

        with cloud.nova_compute(host) as compute: ...
    """

    def __init__(
        self, rows: NovaRows, placement: PlacementRows, log: RequestLog, host: str, restarts: Path, *,
        interval: float = 0.3, delay: float = 0.0, never: bool = False, only_after_restart: bool = False,
        inventories: Inventories = NOVA_INVENTORIES, without: Sequence[str] = (), without_seconds: float = 1.0,
        traits: Sequence[str] = ("COMPUTE_NODE",),
    ) -> None:
        """`delay`: seconds from the start, or a restart, until it first creates. `never`: it creates nothing.

        `only_after_restart`: it creates once `restarted` was called or `restart_command` ran. `without`: inventories
        that are left out for `without_seconds` after the provider was made.
        """
        self.host = host
        self.conflicts = 0  # how often the POST met 409
        self.periodics = 0
        self._rows, self._placement, self._log, self._restarts = rows, placement, log, restarts
        self._interval, self._delay, self._never = interval, delay, never
        self._only_after_restart = only_after_restart
        self._inventories, self._without, self._without_seconds = inventories, frozenset(without), without_seconds
        self._traits = frozenset(traits)
        self._node: Dict[str, str] = {}
        self._created_at = 0.0
        self._began_at = 0.0
        self._mark, self._look_at = 0, 0.0
        self._stop = threading.Event()
        self._failure: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, name=f"nova-compute {host}", daemon=True)

    def __enter__(self) -> NovaCompute:
        self._node = self._rows.compute_node(self.host)
        self._began_at, self._mark = time.monotonic(), self._log.mark()
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure and error is None:
            raise self._failure

    @property
    def restart_command(self) -> Tuple[str, ...]:
        """A command for the pack's configuration that restarts this stand-in."""
        return ("sh", "-c", 'echo restarted >> "$0"', str(self._restarts))

    @property
    def restarts(self) -> int:
        """How often it was restarted."""
        return len(self._restarts.read_text().splitlines()) if self._restarts.exists() else 0

    def restarted(self) -> None:
        """Restart it."""
        with self._restarts.open("a") as log:
            log.write("restarted\n")

    def _run(self) -> None:
        seen = 0
        try:
            while not self._stop.wait(self._interval):
                self.periodics += 1
                if self.restarts > seen:
                    seen, self._began_at, self._look_at = self.restarts, time.monotonic(), 0.0
                if self._may_create(seen) and self._is_due():
                    self._periodic()
        except Exception as error:  # raised again where the with block ends
            self._failure = error

    def _may_create(self, restarts: int) -> bool:
        if self._never or (self._only_after_restart and not restarts):
            return False
        return time.monotonic() - self._began_at >= self._delay

    def _is_due(self) -> bool:
        """Without a write of the pack's a periodic would find what it found before, and keep Placement busy."""
        before, self._mark = self._mark, self._log.mark()
        if not self._log.writes_since(before) and time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_SECONDS
        return True

    def _periodic(self) -> None:
        uuid = self._node["uuid"]
        try:
            if self._placement.show_provider(uuid) is None:
                self._create(uuid)
            self._report_inventories(uuid)
            self._report_traits(uuid)
        except Unexpected as error:
            if error.status not in (404, 409):  # nova-compute logs these and tries again at its next periodic
                raise

    def _create(self, uuid: str) -> None:
        try:
            self._placement.provider(self._node["name"], uuid, inventories={}, traits=())
        except Unexpected as error:
            self.conflicts += error.status == 409
            raise
        self._created_at = time.monotonic()

    def _report_inventories(self, uuid: str) -> None:
        """Nova keeps what it finds of a class that it knows, so that ratios set through the API survive."""
        late = self._without if time.monotonic() - self._created_at < self._without_seconds else frozenset()
        current: Mapping[str, Any] = self._placement.inventories(uuid)
        found = {name: _put_right(one) for name, one in current.items()}
        wanted = {name: found.get(name, given) for name, given in self._inventories.items() if name not in late}
        if set(wanted) - set(current) or found != current:
            self._placement.set_inventories(uuid, {**found, **wanted})

    def _report_traits(self, uuid: str) -> None:
        current = self._placement.traits(uuid)
        wanted = (current | self._traits) - {DISABLED}
        if self._rows.service(self.host)["disabled"]:
            wanted |= {DISABLED}
        if wanted != current:
            self._placement.set_traits(uuid, wanted)


def _put_right(inventory: Mapping[str, Any]) -> Dict[str, Any]:
    """One consumer may hold no more than there is, as nova-compute reports it: a root that was created is marked so."""
    marked = inventory["max_unit"] == inventory["total"] + 1
    return {**inventory, "max_unit": inventory["total"]} if marked else dict(inventory)
