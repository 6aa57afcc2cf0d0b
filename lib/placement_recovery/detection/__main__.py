"""`python3 -m placement_recovery.detection FILE... [--all]`: print each fault in these logs as one line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Iterator, List, Optional

from placement_recovery.detection.logs.events import Event, Fault
from placement_recovery.detection.logs.files import read_file, read_stream

_UNREADABLE = 1
_INTERRUPTED = 130


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the events of all files; return 0, or 1 if a file could not be read."""
    options = _parser().parse_args(arguments)
    status = 0
    for file in options.files:
        try:
            _print(_events(file), options.all)
        except BrokenPipeError:
            raise
        except OSError as error:
            sys.stderr.write(f"{file}: cannot be read: {error.strerror or error}\n")
            status = _UNREADABLE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m placement_recovery.detection",
        description="Print each fault in nova-compute's logs as one line of JSON.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a log, plain or gzip; - for standard input")
    parser.add_argument("--all", action="store_true", help="also print creations that failed for another reason")
    return parser


def _events(file: str) -> Iterator[Event]:
    return read_stream(sys.stdin.buffer, file) if file == "-" else read_file(file)


def _print(events: Iterator[Event], everything: bool) -> None:
    for event in events:
        if everything or isinstance(event, Fault):
            sys.stdout.write(json.dumps(event.as_dict()) + "\n")
            sys.stdout.flush()


def _run() -> int:
    try:
        return main()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe; Python's own flush at the end must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(_run())
