"""Recovery records in StackStorm's datastore, which all runners share.

The behaviour relied on was verified in the source of StackStorm 3.8.0 to 3.9.0: st2common/services/datastore.py,
st2client/models/core.py and st2api/controllers/v1/keyvalue.py.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Protocol, Tuple

from placement_recovery.errors import RecordExists, RecordNotFound, StoreUnavailable
from placement_recovery.records.stores.base import Store, is_recovery_id

# Bytes of UTF-8. A value is one MongoDB document of at most 16 MiB, including its name and other fields.
MAX_TEXT_BYTES = 15_000_000


class DatastoreService(Protocol):
    """The methods of the `datastore_service` of a StackStorm action's `action_service` that are used here."""

    def get_user_info(self) -> Dict[str, Any]:
        """Return the body of GET /v1/user."""

    def get_value(self, name: str, local: bool = ...) -> Optional[str]:
        """Return a value. None means that there is none or that the API failed: the service does not say which."""

    def set_value(self, name: str, value: str, *, local: bool = ...) -> bool:
        """Write a value; an old one is replaced. Raises the errors of requests."""

    def list_values(self, local: bool = ..., prefix: Optional[str] = ..., limit: Optional[int] = ...) -> List[Any]:
        """List objects with `name` and `value`: 100 unless the limit is -1; with RBAC also keys without the prefix."""

    def delete_value(self, name: str, local: bool = ...) -> bool:
        """Delete a value. False means an error or (in st2tests, not in the API) that there was none."""


class DatastoreStore(Store):
    """One value per part, under `placement_recovery:<part>:<id>`, readable by every action of every pack.

    The datastore has no compare-and-set: `add` reads, writes and reads back. Two calls at the same moment can both find
    no value and both succeed; the later text remains. Ids are random, and one action at a time runs a recovery, so this
    requires a second start of the same recovery; the lock in Placement decides which of them may continue.

    With RBAC, the API leaves out of its lists what a user may not see, and get_value hides its 403: who is no admin
    would see no record at all. So nothing is read or written for such a user.
    """

    def __init__(self, service: DatastoreService) -> None:
        self._service = service
        self._may_see_all = False

    def _create(self, recovery_id: str, part: str, text: str) -> None:
        key = _key(recovery_id, part)
        if self._find(key) is not None:
            raise RecordExists(
                f"{key} is already in the datastore and was left as it is; resume that recovery, or start a new one"
            )
        self._set(key, text)

    def _write(self, recovery_id: str, part: str, text: str) -> None:
        self._set(_key(recovery_id, part), text)

    def _read(self, recovery_id: str, part: str) -> str:
        text = self._find(_key(recovery_id, part))
        if text is None:
            raise RecordNotFound(
                f"recovery {recovery_id} has no {part} in the datastore: there is none with this id, or its record was"
                " removed; show_recoveries lists all"
            )
        return text

    def _list(self, part: str) -> Tuple[str, ...]:
        prefix = _key("", part)
        names = [name for name, _ in self._listed(prefix) if name.startswith(prefix)]
        return tuple(stem for stem in (name[len(prefix) :] for name in names) if is_recovery_id(stem))

    def _texts(self, part: str) -> Dict[str, str]:
        prefix = _key("", part)
        found = {name[len(prefix) :]: value for name, value in self._listed(prefix) if name.startswith(prefix)}
        return {stem: value for stem, value in found.items() if is_recovery_id(stem)}

    def _delete(self, recovery_id: str, part: str) -> None:
        self._check_user()
        key = _key(recovery_id, part)
        try:
            deleted = self._service.delete_value(key, local=False)
        except Exception as error:
            raise _unavailable("delete", key, error) from error
        if not deleted and self._find(key) is not None:
            raise _unavailable("delete", key, "the service returned False")

    def _find(self, key: str) -> Optional[str]:
        """Return a value, or None if it certainly does not exist: `get_value` returns None on an error as well."""
        self._check_user()
        try:
            text = self._service.get_value(key, local=False)
        except Exception as error:
            raise _unavailable("read", key, error) from error
        if text is not None:
            return text
        # list_values raises an exception if the API fails.
        return dict(self._listed(key)).get(key)

    def _set(self, key: str, text: str) -> None:
        _check_size(key, text)
        self._check_user()
        try:
            accepted = self._service.set_value(key, text, local=False)
        except Exception as error:
            # Perhaps only the answer was lost.
            if not self._holds(key, text):
                raise _unavailable("write", key, error) from error
            return
        if not accepted:
            raise _unavailable("write", key, "the service returned False")

    def _holds(self, key: str, text: str) -> bool:
        try:
            return self._find(key) == text
        except StoreUnavailable:
            return False

    def _listed(self, prefix: str) -> List[Tuple[str, str]]:
        """Return names and values. The service has no option to omit the values."""
        self._check_user()
        try:
            found = self._service.list_values(local=False, prefix=prefix, limit=-1)
            return [(item.name, item.value) for item in found]
        except Exception as error:
            raise _unavailable("list", prefix, error) from error


    def _check_user(self) -> None:
        if self._may_see_all:
            return
        try:
            user = self._service.get_user_info()
            rbac = user["rbac"]
            hidden = bool(rbac["enabled"]) and not rbac["is_admin"]
        except Exception as error:
            raise _unavailable("tell the user of this action for", "the records", error) from error
        if hidden:
            raise StoreUnavailable(
                f"StackStorm's user {user.get('username', '')!r} may not see the records of recoveries: RBAC is on, and"
                " without the admin role the datastore hides all keys of others. So nothing can be said about any"
                " recovery, and nothing is done. Give this user the role admin (for runs of rules, the system user), or"
                " set store to files"
            )
        self._may_see_all = True


def _key(recovery_id: str, part: str) -> str:
    return f"placement_recovery:{part}:{recovery_id}"


def _check_size(key: str, text: str) -> None:
    size = len(text.encode("utf-8"))
    if size > MAX_TEXT_BYTES:
        raise StoreUnavailable(
            f"{key} would be {size} bytes, and the datastore accepts at most {MAX_TEXT_BYTES}; nothing was written."
            " Set store to files, with a store_folder that all runners share"
        )


def _unavailable(verb: str, key: str, cause: object) -> StoreUnavailable:
    """Build the error for any cause: the library does not import the exception classes of StackStorm's client."""
    reason = " ".join(str(cause).split()) or type(cause).__name__
    return StoreUnavailable(
        f"the datastore did not {verb} {key}: {reason}. Check that st2api answers (st2 key list) and that this user may"
        " read, write and list all keys (with RBAC: the admin role), then run the same again"
    )
