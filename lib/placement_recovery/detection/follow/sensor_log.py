"""The sensor's messages in StackStorm's log of its sensors, whose lines do not name the logger."""

from __future__ import annotations

import logging
from typing import Any, MutableMapping, Tuple

NAME = "LogSensor"


class SensorLog(logging.LoggerAdapter):  # type: ignore[type-arg]  # which cannot be given before Python 3.11
    """Begins each message with the sensor's name, so that grep finds all of them."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger, {})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> Tuple[Any, MutableMapping[str, Any]]:
        """As LoggerAdapter's."""
        return f"{NAME}: {msg}", kwargs
