"""The log positions, saved as one value in StackStorm's datastore, so that they outlive the sensor."""

from __future__ import annotations

import json
import socket
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol

from placement_recovery.errors import StoreUnavailable

# Far below the 16 MB limit of a MongoDB document; 10,000 logs take 2 MB.
LARGEST_TEXT = 8_000_000


class DatastoreService(Protocol):
    """The part of a sensor's service that is used here."""

    def get_value(self, name: str) -> Optional[str]:
        """Return a value. None means that there is none, or that the API did not answer."""

    def set_value(self, name: str, value: str) -> bool:
        """Write a value; raises requests' errors."""

    def list_values(self, *, prefix: str) -> List[Any]:
        """List the first 100 objects with `name` and `value`; raises where get_value returns None for an error."""


class Positions:
    """The value of this machine's sensor: each sensor node runs one, and inodes hold on one machine only."""

    def __init__(self, service: DatastoreService) -> None:
        self._service = service
        self._key = f"followed:{socket.gethostname()}"
        self._written = ""

    def read(self) -> Optional[Dict[str, Any]]:
        """Return the value; None if the datastore has proven that there is none.

        Raises StoreUnavailable if the datastore does not answer, ValueError if the value is not a JSON object.
        """
        try:
            text = self._service.get_value(self._key)
            if text is None:
                # After a mere error, following all logs as new ones would miss or repeat faults.
                found = self._service.list_values(prefix=self._key)
                text = next((one.value for one in found if one.name.endswith(self._key)), None)
        except Exception as error:  # of StackStorm's client, which is not imported here
            raise _unavailable("read", error) from error
        if text is None:
            return None
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError(f"{self._key} does not hold an object")
        return value

    def write(self, value: Mapping[str, Any], smaller: Callable[[], Mapping[str, Any]]) -> None:
        """Write the value, or `smaller` if it is too large, unless it has not changed since the last write.

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
    reason = " ".join(str(cause).split()) or type(cause).__name__
    return StoreUnavailable(
        f"the log positions could not be {verb}: {reason}. Check that st2api answers (st2 key list)"
    )
