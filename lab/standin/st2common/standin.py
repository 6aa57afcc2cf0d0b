"""What StackStorm's Python runner hands to an action (contrib/runners/python_runner, python_action_wrapper.py)."""

from __future__ import annotations

from typing import Any, List, Optional

from st2common.runners.base_action import action_logger
from st2common.services.datastore import SYSTEM_SCOPE, ActionDatastoreService, KeyValuePair


class ActionWrapper:
    """The three facts that ``Action`` and the datastore take from StackStorm's wrapper, by its private names."""

    def __init__(self, pack: str, class_name: str, log_level: str = "DEBUG") -> None:
        self._pack = pack
        self._class_name = class_name
        self._log_level = log_level


class ActionService:
    """The ``action_service`` of an action: the datastore's four calls."""

    def __init__(self, action_wrapper: Any) -> None:
        self._action_wrapper = action_wrapper
        logger = action_logger(action_wrapper._class_name, action_wrapper._log_level)
        self.datastore_service = ActionDatastoreService(logger, action_wrapper._pack, action_wrapper._class_name)

    def list_values(
        self,
        local: bool = True,
        prefix: Optional[str] = None,
        limit: Optional[int] = None,
        offset: Optional[int] = None,
    ) -> List[KeyValuePair]:
        """See ActionDatastoreService."""
        return self.datastore_service.list_values(local=local, prefix=prefix, limit=limit, offset=offset)

    def get_value(
        self, name: str, local: bool = True, scope: str = SYSTEM_SCOPE, decrypt: bool = False
    ) -> Optional[str]:
        """See ActionDatastoreService."""
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
        """See ActionDatastoreService."""
        return self.datastore_service.set_value(name, value, ttl=ttl, local=local, scope=scope, encrypt=encrypt)

    def delete_value(self, name: str, local: bool = True, scope: str = SYSTEM_SCOPE) -> bool:
        """See ActionDatastoreService."""
        return self.datastore_service.delete_value(name, local=local, scope=scope)
