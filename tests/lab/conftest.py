"""A copy of the fixture pack that a test adds its workflow to, and whether processes are gone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from testkit.runner_pack import PackCopy


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # an orphan that is dead waits for whatever is process 1 here


@pytest.fixture
def gone():
    """Whether the processes that the action ``hold`` printed are gone, soon: a SIGKILL takes a moment."""

    def ask(line, patience=10):
        limit = time.monotonic() + patience
        pids = line.split()[1:]
        while (running := any(map(_runs, pids))) and time.monotonic() < limit:
            time.sleep(0.02)
        return len(pids) == 2 and not running

    return ask


@pytest.fixture
def pack(tmp_path):
    """The fixture pack, to change at will."""
    return PackCopy(tmp_path / "runner_pack")
