"""What outlives the sensor, as one value in StackStorm's datastore."""

from __future__ import annotations

import json
import socket
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol

from placement_recovery.errors import StoreUnavailable

# Far below the 16 MB of one of its documents; 10,000 logs take 2 MB.
LARGEST_TEXT = 8_000_000


class DatastoreService(Protocol):
    """What of a sensor's service is used here."""

    def get_value(self, name: str) -> Optional[str]:
        """Give a value. None means that there is none, or that the API did not answer."""

    def set_value(self, name: str, value: str) -> bool:
        """Write a value; raises requests' errors."""

    def list_values(self, *, prefix: str) -> List[Any]:
        """List the first 100 objects with `name` and `value`; raises where get_value is silent."""


class Memory:
    """The value of this machine's sensor: inodes are a machine's own, and each sensor node runs the sensor."""

    def __init__(self, service: DatastoreService) -> None:
        self._service = service
        self._key = f"followed:{socket.gethostname()}"
        self._written = ""

    def read(self) -> Optional[Dict[str, Any]]:
        """Return what was written last; None where it is proven that there is nothing.

        Raises StoreUnavailable where the datastore does not answer, ValueError where the value is not what was written.
        """
        try:
            text = self._service.get_value(self._key)
            if text is None:
                # An error is no proof, and the beginning of all logs, or their end, would be a wrong place to go on.
                found = self._service.list_values(prefix=self._key)
                text = next((one.value for one in found if one.name.endswith(self._key)), None)
        except Exception as error:  # of StackStorm's client, which is not imported here
            raise _unavailable("read", error) from error
        if text is None:
            return None
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError(f"{self._key} holds no object")
        return value

    def write(self, value: Mapping[str, Any], smaller: Callable[[], Mapping[str, Any]]) -> None:
        """Write the value, or `smaller` where it is too large, unless it is what was written last.

        Raises StoreUnavailable.
        """
        text = json.dumps(value, separators=(",", ":"))
        if len(text) > LARGEST_TEXT:
            text = json.dumps(smaller(), separators=(",", ":"))
        if text == self._written:
            return
        try:
            self._service.set_value(self._key, text)
        except Exception as error:
            raise _unavailable("written", error) from error
        self._written = text


def _unavailable(verb: str, cause: Exception) -> StoreUnavailable:
    told = " ".join(str(cause).split()) or type(cause).__name__
    return StoreUnavailable(
        f"where the logs were left off could not be {verb}: {told}. See that st2api answers (st2 key list)"
    )
