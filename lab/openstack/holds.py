"""The test's side of a host's periodics: hold one at a named point, or await some of them."""

from __future__ import annotations

import secrets
from pathlib import Path

from lab.openstack import settings
from lab.openstack.control import POINTS, Control, Periodic, Request
from lab.waiting import LabError, wait_until

LIMIT_SECONDS = 60.0  # nova-compute goes on by itself then, whatever has become of the test
SLACK_SECONDS = 60.0  # beside the periodics' own interval, on a loaded machine


class Hold:
    """Holds one periodic of a host at a point of ``POINTS``, within ``with``; its end lets nova-compute go on.

    Boots on the host may wait as long, because nova-compute locks its resources during most of a periodic. Asked for
    while nova-compute is stopped, it holds the first periodic after the start, and with that the start.
    """

    def __init__(self, control: Control, point: str, limit: float, log: Path) -> None:
        if point not in POINTS:
            raise LabError(f"there is no point {point!r} to hold nova-compute at; there are: {', '.join(POINTS)}")
        self._control, self._point, self._log = control, point, log
        self._request = Request(secrets.token_hex(8), limit)

    def __enter__(self) -> Hold:
        if self._control.request(self._point):
            raise LabError(f"{self._log.stem} is held at {self._point} by another test already")
        self._control.write_request(self._point, self._request)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._control.withdraw(self._point, self._request)

    def wait(self, timeout: float = 0) -> int:
        """Waits until nova-compute stands at the point; the number of the periodic that is held."""
        what = f"{self._log.stem} reaches {self._point}"
        return wait_until(what, self._arrival, timeout or _patience(1), self._log)

    def release(self, timeout: float = SLACK_SECONDS) -> Periodic:
        """Lets nova-compute go on, and waits until the held periodic has ended; gives that periodic.

        LabError if the hold had expired before: what the test did meanwhile was not done during the hold.
        """
        number = self.wait()
        if not self._control.withdraw(self._point, self._request):
            raise LabError(f"the hold of {self._log.stem} at {self._point} ended before it was released")
        what = f"{self._log.stem} ends periodic {number}"
        return wait_until(what, lambda: self._ended(number), timeout, self._log)

    def _arrival(self) -> int:
        return self._control.arrival(self._point, self._request)

    def _ended(self, number: int) -> Periodic | None:
        return next((periodic for periodic in self._control.ended_periodics() if periodic.number == number), None)


def wait_for_periodics(control: Control, count: int, log: Path) -> list[Periodic]:
    """Waits until ``count`` periodics that began after this call have ended; gives them."""
    begun = control.last_begun()

    def ended() -> list[Periodic]:
        later = [periodic for periodic in control.ended_periodics() if periodic.number > begun]
        return later if len(later) >= count else []

    return wait_until(f"{log.stem} ends {count} periodics", ended, _patience(count), log)[:count]


def _patience(count: int) -> float:
    """The seconds that ``count`` whole periodics may take, after the one that runs at the moment."""
    return (count + 1) * settings.UPDATE_SECONDS + SLACK_SECONDS
