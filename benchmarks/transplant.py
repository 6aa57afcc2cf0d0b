"""Seconds per step, and requests to Placement, of transplants of hosts with more and more servers.

    make benchmark-transplant CONSUMERS="20 100 500 2000"

On the test cloud: a real Keystone, Placement and nova-api on SQLite, and a stand-in of nova-compute. Requests that are
repeated while nova-compute is waited for do not count.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List

from placement_recovery.config import Config
from placement_recovery.plan.case import Request
from placement_recovery.plan.method import TRANSPLANT
from placement_recovery.recovery.context import Context, open_context
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.methods import SAVE_ALLOCATIONS
from placement_recovery.recovery.planning import plan_ahead
from placement_recovery.recovery.steps.save_allocations import open_recovery
from testkit.cloud import Cloud
from testkit.counting import CountingClock, PlacementRequests
from testkit.driving import step_names, watched

# What a transplant may ask of Placement beside one look per consumer.
BESIDE_CONSUMERS = 40
PERIODIC_SECONDS = 1.0


@dataclass(frozen=True)
class Measured:
    """One recovery: seconds and requests of each step."""

    consumers: int
    seconds: Dict[str, float]
    requests: Dict[str, int]
    kinds: Counter[str]


def main() -> int:
    """Print a table with one line per step; 1 where a recovery sent more requests than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("consumers", type=int, nargs="*", default=[20, 100, 500, 2000], help="servers of each host")
    sizes = parser.parse_args().consumers
    with Cloud() as cloud:
        measured = [_measure(cloud, size) for size in sizes]
    _print(measured)
    return int(any(sum(one.requests.values()) > one.consumers + BESIDE_CONSUMERS for one in measured))


def _measure(cloud: Cloud, size: int) -> Measured:
    inventories = {"VCPU": size + 1, "MEMORY_MB": 1024 * (size + 1), "DISK_GB": size + 1}
    stale = cloud.stale_host(servers=size, inventories=inventories)
    requests, clock = PlacementRequests(), CountingClock()
    context = replace(open_context(Config.from_mapping(cloud.config())), clock=clock)
    context = watched(context, requests)
    with cloud.nova_compute(stale.host, interval=PERIODIC_SECONDS, inventories=inventories):
        measured = _recover(context, stale.host, size, requests, clock)
    cloud.forget_hosts()
    return measured


def _recover(context: Context, host: str, size: int, requests: PlacementRequests, clock: CountingClock) -> Measured:
    digest = plan_ahead(context, host, Request(TRANSPLANT)).digest
    requests.counts.clear()
    seconds: Dict[str, float] = {}
    sent: Dict[str, int] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        began, before, waits = time.monotonic(), requests.total, clock.waits
        done = act()
        seconds[name] = time.monotonic() - began
        sent[name] = requests.total - before - (clock.waits - waits)
        return done

    opened = timed(
        SAVE_ALLOCATIONS.name, lambda: open_recovery(context, host, Request(TRANSPLANT, approve=digest), "benchmark")
    )
    for name in step_names(TRANSPLANT)[1:]:
        timed(name, lambda name=name: run_step(context, opened[0].saved.id, name))
    return Measured(size, seconds, sent, Counter(requests.counts))


def _print(measured: List[Measured]) -> None:
    _say(f"{'consumers':<26}" + "".join(f"{one.consumers:>10} s{'requests':>10}" for one in measured))
    for name in step_names(TRANSPLANT):
        _say(f"{name:<26}" + "".join(f"{one.seconds[name]:>12.2f}{one.requests[name]:>10}" for one in measured))
    total = "".join(f"{sum(one.seconds.values()):>12.2f}{sum(one.requests.values()):>10}" for one in measured)
    _say(f"{'in all':<26}{total}")
    beside = "".join(f"{sum(one.requests.values()) - one.consumers:>22}" for one in measured)
    _say(f"{'beside one per consumer':<26}{beside}")
    for kind, count in sorted(measured[0].kinds.items()):
        _say(f"  {count:>4} {kind}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
