"""Recovery records as files in a private folder, for use outside of StackStorm or on a shared file system."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from typing import Dict, Iterator, Optional, Tuple

from placement_recovery.errors import (
    ConfigurationError,
    RecordExists,
    RecordInvalid,
    RecordNotFound,
    StoreUnavailable,
)
from placement_recovery.records.stores.base import Store, is_recovery_id
from placement_recovery.records.stores.disk import Disk

# Seconds. No write takes that long, even if the clocks of the machines that share the folder differ.
STALE_TEMPORARY_AGE = 86400

_TEMPORARY = re.compile(r"\.[a-z0-9]+\.[a-z]+\.[0-9a-f]{16}\.tmp")

_ADVICE = {
    errno.ENOSPC: "free some space there, then run the same again",
    errno.EDQUOT: "free some space there or raise the quota, then run the same again",
    errno.EROFS: "the file system is read-only: check the kernel log, then run the same again",
    errno.EACCES: "run as the folder's owner",
    errno.ELOOP: "it is a symbolic link, which is never followed: find out who put it there",
    errno.EINVAL: "it is not a regular file: find out who put it there",
    errno.EPERM: "the file system must support hard links, and the folder must not be immutable",
    errno.EOPNOTSUPP: "the file system must support hard links: choose another store_folder",
}


class FileStore(Store):
    """One file per part, named `<id>.<part>`, mode 0600, in a folder of mode 0700 that is created if missing.

    A text is written to a temporary file, synced, and renamed or linked in one call: even after a power cut either the
    old text or the new one is there. Raises ConfigurationError for a folder that cannot be used.
    """

    def __init__(self, folder: str, disk: Optional[Disk] = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()
        self._prepare()

    def _create(self, recovery_id: str, part: str, text: str) -> None:
        path = self._path(recovery_id, part)
        # Unlike rename, link fails if the name is taken: of two writers exactly one wins.
        with self._explained("write", path), self._temporary(recovery_id, part, text) as temporary:
            try:
                self._disk.link(temporary, path)
            except FileExistsError:
                raise RecordExists(
                    f"{path} already exists and was left as it is; resume that recovery, or start a new one"
                ) from None
            self._disk.sync_folder(self._folder)

    def _write(self, recovery_id: str, part: str, text: str) -> None:
        path = self._path(recovery_id, part)
        with self._explained("write", path), self._temporary(recovery_id, part, text) as temporary:
            self._disk.rename(temporary, path)
            self._disk.sync_folder(self._folder)

    def _read(self, recovery_id: str, part: str) -> str:
        path = self._path(recovery_id, part)
        with self._explained("read", path):
            try:
                data = self._disk.read(path)
            except FileNotFoundError:
                os.stat(self._folder)  # without the folder, nothing is known about the record
                raise RecordNotFound(
                    f"recovery {recovery_id} has no {part} in {self._folder}: there is none with this id, or its record"
                    " was removed; show_recoveries lists all"
                ) from None
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordInvalid(f"{path} is not what was written ({error}); restore it from a backup") from error

    def _list(self, part: str) -> Tuple[str, ...]:
        with self._explained("list", self._folder):
            split = [name.partition(".") for name in os.listdir(self._folder)]
        return tuple(stem for stem, _, suffix in split if suffix == part and is_recovery_id(stem))

    def _texts(self, part: str) -> Dict[str, str]:
        found: Dict[str, str] = {}
        for recovery_id in self._list(part):
            path = self._path(recovery_id, part)
            with self._explained("read", path), suppress(FileNotFoundError):  # purged since the list was made
                found[recovery_id] = self._disk.read(path).decode("utf-8", "replace")
        return found

    def _delete(self, recovery_id: str, part: str) -> None:
        path = self._path(recovery_id, part)
        with self._explained("remove", path):
            self._discard(path)
            # One sync per part: the parts disappear from the disk in the order of removal.
            self._disk.sync_folder(self._folder)

    def _path(self, recovery_id: str, part: str) -> str:
        return os.path.join(self._folder, f"{recovery_id}.{part}")

    @contextmanager
    def _temporary(self, recovery_id: str, part: str, text: str) -> Iterator[str]:
        """Yield the path of a synced file with this text; the name is removed afterwards."""
        self._clean()
        path = os.path.join(self._folder, f".{recovery_id}.{part}.{secrets.token_hex(8)}.tmp")
        handle = self._disk.create(path)
        try:
            self._fill(handle, text.encode("utf-8"))
            yield path
        finally:
            self._discard(path)

    def _fill(self, handle: int, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._disk.write(handle, rest) :]
            self._disk.sync(handle)
        finally:
            self._disk.close(handle)

    def _clean(self) -> None:
        """Remove temporary files of killed writers that are too old to be in use."""
        oldest = time.time() - STALE_TEMPORARY_AGE
        with os.scandir(self._folder) as entries:
            temporaries = [entry.path for entry in entries if _TEMPORARY.fullmatch(entry.name)]
        for path in temporaries:
            with suppress(FileNotFoundError):  # another writer may clean up as well
                if os.lstat(path).st_mtime < oldest:
                    self._disk.remove(path)

    def _discard(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._disk.remove(path)

    @contextmanager
    def _explained(self, verb: str, path: str) -> Iterator[None]:
        """Convert an OSError to StoreUnavailable."""
        try:
            yield
        except OSError as error:
            advice = _ADVICE.get(error.errno or 0, f"check that {self._folder} exists and its disk works")
            raise StoreUnavailable(f"cannot {verb} {path}: {error.strerror or error}; {advice}") from error

    def _prepare(self) -> None:
        if not os.path.isabs(self._folder):
            raise ConfigurationError(f"store_folder must be an absolute path, not {self._folder!r}")
        try:
            self._make(self._folder)
            found = os.stat(self._folder)
        except OSError as error:
            raise ConfigurationError(
                f"store_folder {self._folder} cannot be created or read: {error.strerror}; create it for the user with"
                f" id {os.geteuid()}, mode 0700, or set another one"
            ) from error
        _check_private(self._folder, found)

    def _make(self, folder: str) -> None:
        """Create a folder and its missing parents, each synced, so that they survive a power cut."""
        if os.path.isdir(folder):
            return
        above = os.path.dirname(folder.rstrip("/"))
        self._make(above)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        self._disk.sync_folder(above)


def _check_private(folder: str, found: os.stat_result) -> None:
    """Records name projects and users: only their owner may read them or put files there."""
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigurationError(f"store_folder {folder} is not a folder; set another one")
    if found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"store_folder {folder} belongs to the user with id {found.st_uid}, and this runs as {os.geteuid()}:"
            " neither user could read the records of the other. Run as its owner, or set another one"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise ConfigurationError(f"store_folder {folder} is open to others (mode {mode:04o}); run chmod 700 {folder}")
