"""The interface of all stores of recovery records: texts, each under a recovery's id and the name of a part."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Dict, Tuple

from placement_recovery.errors import InvalidInput, StoreUnavailable

SAVED = "saved"
PROGRESS = "progress"
# Not part of a recovery: the last notification about a host, under an id derived from the host's name.
NOTIFIED = "notified"
# Nor is this: the consumers of a stale provider as a plan read them, under an id derived from the provider's UUID.
PLANNED = "planned"

# In the order of removal. The progress is removed last, because it says that the recovery is closed. If it were removed
# first, an interrupted removal would leave only a saved payload, and the recovery would look opened but not begun.
PARTS = (SAVED, PROGRESS)

_RECOVERY_ID = re.compile(r"[a-z0-9]{1,64}")


class Store(ABC):
    """Keeps texts without interpreting them. Each write is verified by reading it back.

    Every method raises InvalidInput for an id that is not 1 to 64 of a-z and 0-9, or for an unknown part, and
    StoreUnavailable, with the cause and what to do, if the store cannot be read or written.
    """

    def add(self, recovery_id: str, part: str, text: str) -> None:
        """Write a part that must not exist yet; raises RecordExists, and keeps the old text, if it does."""
        _check(recovery_id, part)
        _check_text(recovery_id, part, text)
        self._create(recovery_id, part, text)
        self._check_written(recovery_id, part, text)

    def put(self, recovery_id: str, part: str, text: str) -> None:
        """Write a part; an old text is replaced."""
        _check(recovery_id, part)
        _check_text(recovery_id, part, text)
        self._write(recovery_id, part, text)
        self._check_written(recovery_id, part, text)

    def get(self, recovery_id: str, part: str) -> str:
        """Return a part as it was written; raises RecordNotFound, or RecordInvalid if it is not text."""
        _check(recovery_id, part)
        return self._read(recovery_id, part)

    def ids(self, part: str) -> Tuple[str, ...]:
        """Return the sorted ids of all recoveries that have this part."""
        check_part(part)
        return tuple(sorted(self._list(part)))

    def texts(self, part: str) -> Dict[str, str]:
        """Return this part of all recoveries that have it, by id, in as few requests as the store allows.

        What is not text has other characters in its place: no record that can be trusted reads so.
        """
        check_part(part)
        return dict(sorted(self._texts(part).items()))

    def remove(self, recovery_id: str) -> None:
        """Remove all parts of a recovery, in the order of PARTS. An absent part counts as removed."""
        check_recovery_id(recovery_id)
        for part in PARTS:
            self._delete(recovery_id, part)

    def forget(self, recovery_id: str, part: str) -> None:
        """Remove one part that belongs to no recovery. An absent one counts as removed."""
        _check(recovery_id, part)
        self._delete(recovery_id, part)

    def _check_written(self, recovery_id: str, part: str, text: str) -> None:
        if self._read(recovery_id, part) != text:
            raise StoreUnavailable(
                f"{part} of recovery {recovery_id} was written, but reads back differently: another process writes"
                " the same record, or the store is damaged. Check that nobody else runs this recovery, then resume it"
            )

    @abstractmethod
    def _create(self, recovery_id: str, part: str, text: str) -> None:
        """Write durably, or raise RecordExists."""

    @abstractmethod
    def _write(self, recovery_id: str, part: str, text: str) -> None:
        """Write durably and atomically."""

    @abstractmethod
    def _read(self, recovery_id: str, part: str) -> str:
        """Read, or raise RecordNotFound."""

    @abstractmethod
    def _list(self, part: str) -> Tuple[str, ...]:
        """Return all ids that have the part, in any order."""

    @abstractmethod
    def _texts(self, part: str) -> Dict[str, str]:
        """Return all texts of the part by id."""

    @abstractmethod
    def _delete(self, recovery_id: str, part: str) -> None:
        """Delete durably; an absent part is not an error."""


def is_recovery_id(text: str) -> bool:
    """Return whether a text has the form of a recovery id."""
    return _RECOVERY_ID.fullmatch(text) is not None


def check_recovery_id(recovery_id: str) -> None:
    """Raise InvalidInput unless this is a valid recovery id: it becomes part of a key and of a file name."""
    if not is_recovery_id(recovery_id):
        raise InvalidInput(
            f"{recovery_id!r} is not a recovery id: an id is 1 to 64 of a-z and 0-9; show_recoveries lists them"
        )


def check_part(part: str) -> None:
    """Raise InvalidInput unless this is a known part: an unknown one would never be removed."""
    if part not in (*PARTS, NOTIFIED, PLANNED):
        raise InvalidInput(f"{part!r} is not a part of a recovery record; the parts are {', '.join(PARTS)}")


def _check(recovery_id: str, part: str) -> None:
    check_recovery_id(recovery_id)
    check_part(part)


def _check_text(recovery_id: str, part: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{part} of recovery {recovery_id} cannot be written as UTF-8: {error}") from error
