"""StackStorm's datastore service as an action sees it, in memory, with faults that can be switched on."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Set

LARGEST_DOCUMENT = 16 * 1024 * 1024


class HTTPError(OSError):
    """Stands for that of `requests`, which is an OSError as well."""


class KeyValuePair(NamedTuple):
    """One listed value."""

    name: str
    value: str


class Service:
    """`failing` holds the calls that fail with a 500, which get_value and delete_value hide, as in the real service.

    `lost` holds the calls that succeed but whose answer is a 504; `rejecting` makes set_value return False.
    """

    def __init__(self) -> None:
        self.values: Dict[str, str] = {}
        self.failing: Set[str] = set()
        self.lost: Set[str] = set()
        self.rejecting = False
        self.rbac = {"enabled": False, "roles": [], "is_admin": True}
        self.absent_counts_as_deleted = True

    @property
    def datastore_service(self) -> Service:
        """As an action's action_service has it."""
        return self

    def get_user_info(self) -> Dict[str, Any]:
        """The caller; `rbac` may be set. Raises on an error."""
        if "get_user_info" in self.failing:
            raise HTTPError("503 Server Error: Service Unavailable for url: /user")
        return {"username": "operator", "rbac": self.rbac}

    def get_value(self, name: str, local: bool = True) -> Optional[str]:
        """Return the value, or None if there is none or on an error."""
        assert not local, "keys must not depend on the action's class"
        return None if "get_value" in self.failing else self.values.get(name)

    def set_value(self, name: str, value: str, ttl: Optional[int] = None, local: bool = True) -> bool:
        """Write the value; raises on an error and over the limit."""
        assert not local, "keys must not depend on the action's class"
        if "set_value" in self.failing or len(name) + len(value.encode()) > LARGEST_DOCUMENT:
            raise HTTPError("500 Server Error: Internal Server Error\nMESSAGE: Internal Server Error for url: /keys")
        if self.rejecting:
            return False
        self.values[name] = value
        if "set_value" in self.lost:
            raise HTTPError("504 Server Error: Gateway Time-out for url: /keys")
        return True

    def list_values(
        self, local: bool = True, prefix: Optional[str] = None, limit: Optional[int] = None
    ) -> List[KeyValuePair]:
        """List the values under a prefix: 100, unless there is a limit."""
        assert not local, "keys must not depend on the action's class"
        if "list_values" in self.failing:
            raise HTTPError("403 Client Error: Forbidden for url: /keys")
        found = [KeyValuePair(*item) for item in self.values.items() if item[0].startswith(prefix or "")]
        return found if limit == -1 else found[: limit or 100]

    def delete_value(self, name: str, local: bool = True) -> bool:
        """Delete the value; False on an error."""
        assert not local, "keys must not depend on the action's class"
        if "delete_value" in self.failing:
            return False
        there = self.values.pop(name, None) is not None
        return there or self.absent_counts_as_deleted
