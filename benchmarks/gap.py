"""For how long servers are without their allocations: preserve and discard on a real nova-compute.

    make benchmark-gap RELEASE=34 CONSUMERS="20 100"

Read from Placement's own log of requests: the time from the answer to the request that takes the allocations away to
the one that sets them again (up to batch_size consumers, 500 by default, each is a single request). discard, which
comes last, sets nothing again, and is measured until the new provider is there.
Each recovery is a whole run of the pack's workflow.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, List

from lab.openstack import faults
from lab.openstack.cloud import RELEASES, Lab
from lab.stackstorm.installation import StackStorm
from testkit.operator import Operator, finished

HOST = "compute-0"
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
WRITTEN = re.compile(r"POST /allocations\" status: 204")
CREATED = re.compile(r"POST /resource_providers\" status: 20[01]")


def main() -> int:
    """Print a line for each recovery."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", choices=RELEASES, default="34")
    parser.add_argument("--interval", type=int, default=30, help="seconds between nova-compute's periodics")
    parser.add_argument("consumers", type=int, nargs="*", default=[20, 100], help="servers of the host")
    given = parser.parse_args()
    options = {"DEFAULT": {"update_resources_interval": given.interval}}
    with Lab(given.release, [HOST], compute_options=options) as lab, tempfile.TemporaryDirectory() as folder:
        operator = Operator(StackStorm(lab, Path(folder) / "datastore.sqlite"))
        booted = 0
        for size in given.consumers:
            operator.client.boot_many([f"server-{number}" for number in range(booted, size)], HOST)
            booted = size
            _measure(operator, "preserve", size)
        _measure(operator, "discard", booted)
    return 0


def _measure(operator: Operator, method: str, size: int) -> None:
    faults.database(operator.lab, HOST)
    access = operator.lab.mark("placement")
    ended = operator.run("recover_host", host=HOST, method=method)
    if ended.output["state"] == "needs_approval":
        ended = operator.run("recover_host", host=HOST, method=method, approve=ended.output["digest"])
    finished(ended)
    written, created = _at(access, WRITTEN), _at(access, CREATED)
    until = written[1] if method == "preserve" else created[-1]
    _say(
        f"nova {operator.lab.release}, {method}, {size} servers: {(until - written[0]).total_seconds():.1f} s from the "
        f"delete to {'the set' if method == 'preserve' else 'the new provider'}"
    )


def _at(access: Any, pattern: re.Pattern[str]) -> List[datetime]:
    found = (TIME.search(line) for line in access.lines() if pattern.search(line))
    return [datetime.fromisoformat(match[0]) for match in found if match]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
