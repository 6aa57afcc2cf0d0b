"""At most so many actions at once, over all executions that share a pool (StackStorm's action runner has one).

The tokens lie in a pipe: who takes one may run an action, and puts it back. A waiting engine sleeps. One that is killed
takes with it the tokens that it holds. How long an action waits does not count against its time-out, as in StackStorm.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

_TOKEN = b"."


class Pool:
    """``with Pool(8) as pool:``; hand it to each start of an execution, whose engine inherits ``fds``."""

    def __init__(self, size: int) -> None:
        self.fds = os.pipe()
        os.write(self.fds[1], _TOKEN * size)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self.fds:
            os.close(fd)


@contextlib.contextmanager
def turn(fds: Sequence[int]) -> Iterator[None]:
    """In an engine: one of the pool's turns, waited for; without a pool at once."""
    if not fds:
        yield
        return
    os.read(fds[0], 1)
    try:
        yield
    finally:
        os.write(fds[1], _TOKEN)
