"""The command line: ``python3 -m lab.stackstorm run PACK.ACTION name=value ...``, or ``list``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.environments import InstallError
from lab.stackstorm import runner

_MARKS = {"succeeded": "ok", "failed": "FAILED", "timeout": "TIMED OUT", "canceled": "canceled"}


class Progress:
    """Prints each task as it starts and ends; with ``output``, what the actions print as well."""

    def __init__(self, output: bool) -> None:
        self._output = output
        self._started: dict[str, float] = {}

    def show(self, event: runner.Event) -> None:
        """Print one event of the engine."""
        if event["event"] == "started":
            self._started[event["id"]] = event["time"]
            self._print(event, event["time"], f"{_name(event)}  {event['action'] or '(no action)'}")
        elif event["event"] == "ended":
            seconds = event["time"] - self._started[event["id"]]
            mark = _MARKS.get(event["status"], event["status"])
            text = f"{_name(event)}  {mark} after {seconds:.1f} s"
            self._print(event, event["time"], ": ".join(filter(None, (text, _summary(event)))))
        elif event["event"] == "output" and self._output:
            self._print(event, time.time(), f"  {event['line']}")

    def _print(self, event: runner.Event, when: float, text: str) -> None:
        indent = "  " * (len(event["path"]) - 1)
        print(f"{time.strftime('%H:%M:%S', time.localtime(when))} {indent}{text}", flush=True)


def _name(event: runner.Event) -> str:
    item = "" if event["item"] is None else f"[{event['item']}]"
    return f"{event['path'][-1]}{item}"


def _summary(event: runner.Event) -> str:
    """One line that says what came of it: the result's own summary, else the error's last line."""
    result = event["result"] if isinstance(event["result"], dict) else {}
    for inner in (result.get("output"), result.get("result")):
        if isinstance(inner, dict) and inner.get("summary"):
            return str(inner["summary"]).splitlines()[0]
    if event["status"] == "succeeded":
        return ""
    lines = str(result.get("error") or result.get("stderr") or "").strip().splitlines()
    return lines[-1] if lines else ""


def _parameters(words: list[str]) -> dict[str, str]:
    parameters = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word}: a parameter is given as name=value")
        parameters[name] = value
    return parameters


def _run(arguments: argparse.Namespace) -> int:
    progress = Progress(arguments.output)
    with runner.start(
        arguments.action,
        _parameters(arguments.parameters),
        config=arguments.config,
        datastore=arguments.datastore,
        user=arguments.user,
        on_event=progress.show,
        pack=arguments.pack,
    ) as running:
        execution = _wait(running)
    print(f"\n{execution.action}: {execution.status}")
    _print_result(execution)
    return 0 if execution.status == "succeeded" else 1


def _wait(running: runner.Running) -> runner.Execution:
    """Wait for the end; the first Ctrl-C cancels as StackStorm would, the second kills."""
    try:
        return running.wait()
    except KeyboardInterrupt:
        print("canceling: the running action ends, no further task starts (again: kill)", flush=True)
        running.cancel()
        return running.wait()


def _print_result(execution: runner.Execution) -> None:
    result: Mapping[str, Any] = execution.result or {}
    if execution.output not in (None, "None"):
        print(json.dumps(execution.output, indent=2, ensure_ascii=False))
    for error in result.get("errors", ()):
        place = f"{error['task_id']}: " if "task_id" in error else ""
        print(f"error: {place}{error['message']}")
    if execution.status != "succeeded" and (result.get("error") or result.get("stderr")):
        print(str(result.get("error") or result["stderr"]).rstrip(), file=sys.stderr)


def _list(arguments: argparse.Namespace) -> int:
    for action in runner.list_actions(arguments.pack):
        print(f"{action['ref']:50} {action['runner']:14} {action['description']}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab.stackstorm", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="run an action or a workflow to its end")
    run.add_argument("action", help="its reference: placement_recovery.recover_host")
    run.add_argument("parameters", nargs="*", metavar="name=value")
    run.add_argument("--config", type=Path, help="the pack's configuration file (default: none)")
    run.add_argument("--datastore", type=Path, help="the datastore's file (default: one that is thrown away)")
    run.add_argument("--user", default="stanley", help="who runs it (default: %(default)s)")
    run.add_argument("--output", action="store_true", help="show what the actions print, too")
    run.set_defaults(function=_run)
    listing = commands.add_parser("list", help="list the pack's actions")
    listing.set_defaults(function=_list)
    for command in (run, listing):
        command.add_argument("--pack", type=Path, default=runner.ROOT, help="the pack's folder (default: this one)")
    return parser


def main(words: list[str] | None = None) -> int:
    """0 succeeded, 1 failed, 2 refused."""
    # A SIGTERM unwinds as Ctrl-C does, so that the engine is closed; a second Ctrl-C does as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.function(arguments))
    except (runner.Refused, runner.EngineError, InstallError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
