"""Clears a lab away when its manager is gone, however it went: ``python3 -m lab.openstack.guardian FOLDER [keep]``.

It waits for the end of its standard input, which the manager holds open and the kernel closes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab.openstack.processes import kill_all

ROOT = Path(__file__).resolve().parents[2]


class Guardian:
    """The manager's side: as long as this object is not closed and the process lives, the lab is left alone."""

    def __init__(self, folder: Path, keep: bool) -> None:
        arguments = [str(folder), *(["keep"] if keep else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.openstack.guardian", *arguments],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            stdin=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is for the manager
        )

    def close(self) -> None:
        """Lets the guardian do its work now, and waits for it."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def remove(folder: Path, keep: bool) -> None:
    """Ends all processes of the lab in ``folder`` and removes it; what is kept is no lab any more."""
    kill_all(folder)
    state = folder / "lab.json"
    if not state.exists():  # never remove a folder that no lab has made
        return
    if keep:
        state.unlink()
    else:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    remove(Path(sys.argv[1]), keep="keep" in sys.argv[2:])
