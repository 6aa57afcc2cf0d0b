"""Drives the library as the actions do: plan, save, then each step of the method in its order."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from placement_recovery.clock import Clock
from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.placement import Placement
from placement_recovery.cloud.reader import Reader
from placement_recovery.cloud.session import Api, connect
from placement_recovery.config import Config
from placement_recovery.plan.case import Request
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context, open_context
from placement_recovery.recovery.engine import StepResult, run_step
from placement_recovery.recovery.methods import ROLLBACK, SEQUENCES
from placement_recovery.recovery.planning import plan_ahead
from placement_recovery.recovery.steps.save_allocations import open_recovery

HASTE = 20


class HastyClock(Clock):
    """Its seconds pass twenty times as fast where the library sleeps, so that a time-out is soon over.

    With a `pace` each sleep takes that many times as long on this clock, and no more time here.
    """

    def __init__(self, pace: float = 1.0) -> None:
        self._skipped = 0.0
        self._pace = pace

    def seconds(self) -> float:
        """Real ones, and those that were skipped."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Wait a twentieth."""
        time.sleep(seconds / HASTE)
        self._skipped += seconds * self._pace - seconds / HASTE


Act = Callable[[], None]


class Sent(NamedTuple):
    """A request as the library sent it."""

    method: str
    path: str
    version: str
    body: Any = None


class Killed(Exception):
    """The process of the recovery ends here, by no error of the library's."""

    @classmethod
    def die(cls) -> None:
        """What a meddler does to kill it."""
        raise cls


@dataclass
class Meddler:
    """Somebody who acts at a given moment of a recovery: right before or after a request that writes, once.

    `acts` are (when, method, part of the path, how many such requests pass first, what to do); `sent` are all requests
    in their order.
    """

    acts: List[List[Any]] = field(default_factory=list)
    sent: List[Sent] = field(default_factory=list)

    def before(self, method: str, path: str, act: Act, passing: int = 0) -> None:
        """Act right before a request is sent."""
        self.acts.append(["before", method, path, passing, act])

    def after(self, method: str, path: str, act: Act, passing: int = 0) -> None:
        """Act right after it was answered."""
        self.acts.append(["after", method, path, passing, act])

    def tell(self, when: str, method: str, path: str) -> None:
        """A request is about to be sent, or was answered."""
        for one in list(self.acts):
            if one[:2] != [when, method] or one[2] not in path:
                continue
            if one[3]:
                one[3] -= 1
            else:
                self.acts.remove(one)
                one[4]()


@dataclass
class Listener(Meddler):
    """A meddler who also notes each request before it is sent: (method, path)."""

    heard: List[Tuple[str, str]] = field(default_factory=list)

    def tell(self, when: str, method: str, path: str) -> None:
        """Note it, and act if it is time."""
        if when == "before":
            self.heard.append((method, path))
        super().tell(when, method, path)


class WatchedApi:
    """A service's Api whose requests a meddler hears of."""

    def __init__(self, api: Api, meddler: Meddler) -> None:
        self._api, self._meddler = api, meddler
        self.greatest_microversion = api.greatest_microversion

    def get(self, path: str, version: str, params: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """GET."""
        self._meddler.sent.append(Sent("GET", path, version))
        self._meddler.tell("before", "GET", path)
        answer = self._api.get(path, version, params)
        self._meddler.tell("after", "GET", path)
        return answer

    def write(self, method: str, path: str, version: str, body: Optional[Any] = None) -> Dict[str, Any]:
        """POST, PUT or DELETE."""
        self._meddler.sent.append(Sent(method, path, version, body))
        self._meddler.tell("before", method, path)
        answer = self._api.write(method, path, version, body)
        self._meddler.tell("after", method, path)
        return answer


def open_hasty(config: Mapping[str, Any], pace: float = 1.0) -> Context:
    """A context as an action makes it, with a clock that hurries."""
    return replace(open_context(Config.from_mapping(config)), clock=HastyClock(pace))


def watched(context: Context, meddler: Meddler) -> Context:
    """The same context, with a meddler who hears of each request."""
    nova_api, placement_api = connect(context.config)
    nova = Nova(WatchedApi(nova_api, meddler), context.config)  # type: ignore[arg-type]
    placement = Placement(WatchedApi(placement_api, meddler), context.config)  # type: ignore[arg-type]
    reader = Reader(nova, placement, context.config.concurrency)
    return replace(context, nova=nova, placement=placement, reader=reader)


def step_names(method: str = "preserve") -> Tuple[str, ...]:
    """The steps of a method in their order."""
    return tuple(step.name for step in SEQUENCES[method])


def begin(context: Context, host: str, method: str = "preserve", unknown: str = "keep") -> str:
    """Plan, approve whatever the plan says, and save; the id of the recovery."""
    plan = plan_ahead(context, host, Request(method, unknown))
    assert not plan.refusals, plan.refusals
    journal, _ = open_recovery(context, host, Request(method, unknown, plan.digest), "tester")
    return journal.saved.id


def go_on(context: Context, recovery_id: str, until: str = "", before: str = "") -> List[StepResult]:
    """All steps from the top, `until` this one included, or up to the one `before` this."""
    results = []
    for name in step_names(context.journal(recovery_id).saved.method):
        if name == before:
            break
        results.append(run_step(context, recovery_id, name))
        if name == until:
            break
    return results


def roll_back(context: Context, recovery_id: str, until: str = "") -> None:
    """The steps of a rollback, `until` this one included."""
    for step in ROLLBACK:
        run_step(context, recovery_id, step.name)
        if step.name == until:
            return


def recover(context: Context, host: str, method: str = "preserve", unknown: str = "keep") -> Journal:
    """A whole recovery; its journal."""
    recovery_id = begin(context, host, method, unknown)
    go_on(context, recovery_id)
    return context.journal(recovery_id)
