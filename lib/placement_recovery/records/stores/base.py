"""What every store of recovery records does: it keeps texts under a recovery's id and the name of a part."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Tuple

from placement_recovery.errors import InvalidInput, StoreUnavailable

SAVED = "saved"
PROGRESS = "progress"
# No part of a recovery: what was told about a host (told.py), under an id made of the host's name.
NOTIFIED = "notified"

# In the order of removal. The progress goes last: as long as it stands it says that the recovery is closed.
# Were it to go first, a removal that died halfway would leave a saved payload alone, and that is what a
# recovery looks like that was opened and has not begun.
PARTS = (SAVED, PROGRESS)

_RECOVERY_ID = re.compile(r"[a-z0-9]{1,64}")


class Store(ABC):
    """Keeps texts; knows nothing of what they say. Each write is read back before it counts.

    Every method raises InvalidInput for an id that is not 1 to 64 of a-z and 0-9, or a part that is not known,
    and StoreUnavailable, with the cause and what to do, where the store does not take or give a text.
    """

    def add(self, recovery_id: str, part: str, text: str) -> None:
        """Write a part that must not exist yet: raises RecordExists, and leaves the old text alone, if it does."""
        _check(recovery_id, part)
        _check_text(recovery_id, part, text)
        self._create(recovery_id, part, text)
        self._check_written(recovery_id, part, text)

    def put(self, recovery_id: str, part: str, text: str) -> None:
        """Write a part, over the old text if there is one."""
        _check(recovery_id, part)
        _check_text(recovery_id, part, text)
        self._write(recovery_id, part, text)
        self._check_written(recovery_id, part, text)

    def get(self, recovery_id: str, part: str) -> str:
        """Give a part as it was written; raises RecordNotFound, or RecordInvalid if it is no text at all."""
        _check(recovery_id, part)
        return self._read(recovery_id, part)

    def ids(self, part: str) -> Tuple[str, ...]:
        """Give the sorted ids of all recoveries that have this part."""
        check_part(part)
        return tuple(sorted(self._list(part)))

    def remove(self, recovery_id: str) -> None:
        """Remove all parts of a recovery, in the order of PARTS. What is not there counts as removed."""
        check_recovery_id(recovery_id)
        for part in PARTS:
            self._delete(recovery_id, part)

    def _check_written(self, recovery_id: str, part: str, text: str) -> None:
        if self._read(recovery_id, part) != text:
            raise StoreUnavailable(
                f"{part} of recovery {recovery_id} was written, but reads back differently: another process writes"
                " the same record, or the store is damaged. See that nobody else works on this recovery, then resume it"
            )

    @abstractmethod
    def _create(self, recovery_id: str, part: str, text: str) -> None:
        """Write durably, or raise RecordExists."""

    @abstractmethod
    def _write(self, recovery_id: str, part: str, text: str) -> None:
        """Write durably, whole or not at all."""

    @abstractmethod
    def _read(self, recovery_id: str, part: str) -> str:
        """Read, or raise RecordNotFound."""

    @abstractmethod
    def _list(self, part: str) -> Tuple[str, ...]:
        """Give all ids that have the part, in any order."""

    @abstractmethod
    def _delete(self, recovery_id: str, part: str) -> None:
        """Delete durably; a part that is absent is no error."""


def is_recovery_id(text: str) -> bool:
    """Tell whether a text has the shape of a recovery's id."""
    return _RECOVERY_ID.fullmatch(text) is not None


def check_recovery_id(recovery_id: str) -> None:
    """Raise InvalidInput unless this can be a recovery's id: it becomes part of a key and of a file's name."""
    if not is_recovery_id(recovery_id):
        raise InvalidInput(
            f"{recovery_id!r} is no recovery id: those are 1 to 64 of a-z and 0-9; show_recoveries lists them"
        )


def check_part(part: str) -> None:
    """Raise InvalidInput unless this is a known part: what nobody knows would never be removed."""
    if part not in (*PARTS, NOTIFIED):
        raise InvalidInput(f"{part!r} is no part of a recovery record; the parts are {', '.join(PARTS)}")


def _check(recovery_id: str, part: str) -> None:
    check_recovery_id(recovery_id)
    check_part(part)


def _check_text(recovery_id: str, part: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{part} of recovery {recovery_id} cannot be written as UTF-8: {error}") from error
