"""The lab's command line: ``python3 -m lab up``, ``status``, ``boot``, ``break``, ``restart-compute``, ``down``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from lab.environments import InstallError, cache_folder
from lab.openstack.cloud import RELEASES, Lab
from lab.openstack.faults import KINDS
from lab.waiting import LabError

TERMINATED = 128 + signal.SIGTERM


def up(options: argparse.Namespace) -> None:
    """Start a real OpenStack and leave it running."""
    computes = tuple(f"compute-{number}" for number in range(options.computes))
    lab = Lab(options.release, computes, options.folder, keep=options.keep)
    lab.up(detached=True)
    show(lab)


def status(options: argparse.Namespace) -> None:
    """Show the processes, the addresses and how to use them."""
    show(Lab.open(options.folder))


def boot(options: argparse.Namespace) -> None:
    """Boot servers and wait until they are ACTIVE."""
    for name, uuid in Lab.open(options.folder).client.boot_many(options.names, options.host).items():
        print(f"{name}  {uuid}")


def break_host(options: argparse.Namespace) -> None:
    """Break a host, wait for the fault in nova-compute's log, and show its facts."""
    lab = Lab.open(options.folder)
    fault = KINDS[options.kind](lab, options.host)
    for name, value in asdict(fault).items():
        print(f"{name:<10}  {value}")
    print(f"{'log':<10}  {lab.log(fault.host)}")


def restart_compute(options: argparse.Namespace) -> None:
    """Restart the nova-compute of one host."""
    Lab.open(options.folder).restart_compute(options.host)


def down(options: argparse.Namespace) -> None:
    """End all processes of the lab and remove its folder."""
    Lab.open(options.folder).down()


def show(lab: Lab) -> None:
    """Prints what a person needs to work with the lab."""
    print(f"nova {lab.release} in {lab.folder}")
    for name, state in lab.status().items():
        print(f"  {name:<12}  {state}")
    print(f"Placement   {lab.placement_url}\nNova        {lab.nova_url}\nKeystone    {lab.keystone_url}")
    print(f"logs        {lab.logs}")
    print(f"use it:     export OS_CLIENT_CONFIG_FILE={lab.clouds_yaml} OS_CLOUD=lab")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="python3 -m lab", description="A real OpenStack in a box, on loopback.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        where = "the lab's folder (default: %(default)s)"
        command.add_argument("--folder", type=Path, default=cache_folder() / "labs" / "default", help=where)
        command.set_defaults(run=run)
        return command

    start = add("up", up)
    start.add_argument("--release", choices=RELEASES, default="34", help="of nova (default: %(default)s)")
    start.add_argument("--computes", type=int, default=2, metavar="N", help="how many hosts (default: %(default)s)")
    start.add_argument("--keep", action="store_true", help="keep the folder and its logs if the start fails")
    add("status", status)
    servers = add("boot", boot)
    servers.add_argument("--host", help="the host to boot them on (default: the scheduler's choice)")
    servers.add_argument("names", nargs="+", metavar="NAME")
    fault = add("break", break_host)
    fault.add_argument("kind", choices=KINDS, help="how it comes about; see lab/README.md")
    fault.add_argument("--host", default="compute-0", help="the host to break (default: %(default)s)")
    add("restart-compute", restart_compute).add_argument("host", metavar="HOST")
    add("down", down)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; what goes wrong is one ``error:`` on stderr and the exit code 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that an ``up`` clears away what it began
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (LabError, InstallError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
