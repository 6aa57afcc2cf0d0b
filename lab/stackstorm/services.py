"""What StackStorm hands to an action (contrib/runners/python_runner, python_action_wrapper.py) and to a sensor.

The sensor's is st2reactor/container/sensor_wrapper.py. These run where actions and sensors do, on Python 3.8 and later,
under the stand-in's base classes as well as under StackStorm's own.
"""

from __future__ import annotations

import logging
from typing import Any, List, Optional

from lab.stackstorm.datastore import SYSTEM_SCOPE, DatastoreService, KeyValuePair
from lab.stackstorm.triggers import record


class DatastoreCalls:
    """The datastore's four calls, which actions and sensors have on their services themselves."""

    datastore_service: DatastoreService

    def list_values(self, local: bool = True, prefix: Optional[str] = None) -> List[KeyValuePair]:
        """See DatastoreService. StackStorm 3.9 takes a limit and an offset too, 3.8 takes neither."""
        return self.datastore_service.list_values(local=local, prefix=prefix)

    def get_value(
        self, name: str, local: bool = True, scope: str = SYSTEM_SCOPE, decrypt: bool = False
    ) -> Optional[str]:
        """See DatastoreService."""
        return self.datastore_service.get_value(name, local=local, scope=scope, decrypt=decrypt)

    def set_value(
        self,
        name: str,
        value: Any,
        ttl: Optional[int] = None,
        local: bool = True,
        scope: str = SYSTEM_SCOPE,
        encrypt: bool = False,
    ) -> bool:
        """See DatastoreService."""
        return self.datastore_service.set_value(name, value, ttl=ttl, local=local, scope=scope, encrypt=encrypt)

    def delete_value(self, name: str, local: bool = True, scope: str = SYSTEM_SCOPE) -> bool:
        """See DatastoreService."""
        return self.datastore_service.delete_value(name, local=local, scope=scope)


class ActionWrapper:
    """The three facts that ``Action`` takes from StackStorm's wrapper, by its private names."""

    def __init__(self, pack: str, class_name: str, log_level: str) -> None:
        self._pack = pack
        self._class_name = class_name
        self._log_level = log_level


class ActionService(DatastoreCalls):
    """The ``action_service`` of an action."""

    def __init__(self, pack: str, class_name: str, log_level: str = "DEBUG") -> None:
        self._action_wrapper = ActionWrapper(pack, class_name, log_level)
        # The base class gives this logger its handler and its level.
        logger = logging.getLogger(f"actions.python.{class_name}")
        self.datastore_service = DatastoreService(logger, pack, class_name)


class SensorService(DatastoreCalls):
    """The ``sensor_service`` of a sensor: the datastore, a logger, and the triggers."""

    def __init__(self, pack: str, class_name: str) -> None:
        self._logger = logging.getLogger(f"SensorWrapper.{pack}.{class_name}")
        self.datastore_service = DatastoreService(self._logger, pack, class_name)

    def get_logger(self, name: str) -> logging.Logger:
        """A logger below the wrapper's."""
        return logging.getLogger(f"{self._logger.name}.{name}")

    def dispatch(self, trigger: str, payload: Any = None, trace_tag: Optional[str] = None) -> None:
        """Keep the trigger; StackStorm passes over one that it does not know, or whose payload breaks its schema."""
        record(trigger, payload or {}, trace_tag)
