"""The base classes of sensors, with StackStorm's constructors and methods (st2reactor/sensor/base.py)."""

from __future__ import annotations

import abc
import time
from typing import Any, Dict, Optional


class BaseSensor(abc.ABC):
    """What the passive and the polling sensor share: the service, the configuration, and StackStorm's hooks."""

    def __init__(self, sensor_service: Any, config: Optional[Dict[str, Any]] = None) -> None:
        self.sensor_service = self._sensor_service = sensor_service
        self.config = self._config = config or {}

    @abc.abstractmethod
    def setup(self) -> None:
        """Called once, before the first run."""

    @abc.abstractmethod
    def run(self) -> None:
        """Run until the sensor is stopped."""

    @abc.abstractmethod
    def cleanup(self) -> None:
        """Called at an orderly end; not at SIGTERM."""

    @abc.abstractmethod
    def add_trigger(self, trigger: Dict[str, Any]) -> None:
        """Called for each trigger that a rule begins to use."""

    @abc.abstractmethod
    def update_trigger(self, trigger: Dict[str, Any]) -> None:
        """Called for each trigger that a rule changed."""

    @abc.abstractmethod
    def remove_trigger(self, trigger: Dict[str, Any]) -> None:
        """Called for each trigger that no rule uses any more."""


class Sensor(BaseSensor):
    """A sensor that waits by itself for what it reports."""


class PollingSensor(BaseSensor):
    """A sensor whose ``poll()`` is called for ever, ``poll_interval`` seconds apart."""

    def __init__(self, sensor_service: Any, config: Optional[Dict[str, Any]] = None, poll_interval: float = 5) -> None:
        super().__init__(sensor_service=sensor_service, config=config)
        self._poll_interval = poll_interval

    @abc.abstractmethod
    def poll(self) -> None:
        """Look once, and dispatch what is new."""

    def run(self) -> None:
        """Poll until the process ends."""
        while True:
            self.poll()
            time.sleep(self._poll_interval)

    def get_poll_interval(self) -> float:
        """The pause between two polls, in seconds."""
        return self._poll_interval

    def set_poll_interval(self, poll_interval: float) -> None:
        """Change the pause between two polls, in seconds."""
        self._poll_interval = poll_interval
