"""Starts the pack's sensors in processes of their own (standard library only).

with sensors.start("log_sensor.py", "LogSensor", config=..., datastore=...) as sensor:
    triggers.wait(...)
    sensor.kill()
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from lab.environments import ensure
from lab.stackstorm import sensor_process, standin
from lab.stackstorm.nursery import outer_environment
from lab.stackstorm.runner import ROOT
from lab.stackstorm.triggers import PATH_VARIABLE


class RunningSensor:
    """A sensor's process; it ends with this object's context, or with this process."""

    def __init__(self, command: list[str], environment: Mapping[str, str], request: Mapping[str, Any]) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self._log, stderr=self._log, env=environment, start_new_session=True
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def __enter__(self) -> RunningSensor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, in whatever it does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, timeout: float) -> int:
        """Wait until it ends by itself; its exit code. subprocess.TimeoutExpired if it does not."""
        return self._process.wait(timeout)

    def log(self) -> str:
        """What it has logged so far."""
        self._log.flush()
        return os.pread(self._log.fileno(), 1 << 24, 0).decode("utf-8", "replace")

    def close(self) -> None:
        """End it, if it runs still."""
        if self._log.closed:
            return
        self.kill()
        assert self._process.stdin
        self._process.stdin.close()
        self._log.close()


def start(
    file: str,
    class_name: str,
    *,
    datastore: Path,
    config: Mapping[str, Any] | None = None,
    poll_interval: float = 5,
    pack: Path = ROOT,
    python: Path | None = None,
) -> RunningSensor:
    """Start the sensor in that file of ``sensors/``; ``python`` is by default that of the environment ``pack``."""
    request = {
        "pack": "placement_recovery",
        "file": str((pack / "sensors" / file).absolute()),
        "class_name": class_name,
        "standin": str(standin.FOLDER),
        "config": dict(config or {}),
        "poll_interval": poll_interval,
    }
    environment = {**outer_environment(), PATH_VARIABLE: str(datastore.absolute())}
    command = [str(python or ensure("pack") / "bin" / "python"), "-u", sensor_process.__file__]
    return RunningSensor(command, environment, request)
