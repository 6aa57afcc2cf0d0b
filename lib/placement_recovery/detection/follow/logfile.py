"""An open log, plain or gzip, and the fingerprint that identifies its content."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import stat
import zlib
from typing import NamedTuple, Optional

# nova's first line has a time, so two logs differ within this many bytes.
LONGEST_FINGERPRINT = 1024
# Fewer may hold no more than the date; then only the inode identifies the file.
LEAST_FINGERPRINT = 32


class LogFile:
    """A regular file, open for reading. Raises OSError, also for anything that is not a regular file.

    The inode is that of the file on the disk, compressed or not; offsets are those of the content.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._raw = open(path, "rb", buffering=0, opener=_open_without_waiting)  # noqa: SIM115 - closed by close()
        try:
            status = os.fstat(self._raw.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file", path)
        except BaseException:
            self._raw.close()
            raise
        self.inode = status.st_ino
        self._gzip = gzip.GzipFile(fileobj=self._raw) if path.endswith(".gz") else None

    @property
    def size(self) -> Optional[int]:
        """Bytes of the content now; None for gzip, where only decompressing all of it would show."""
        return None if self._gzip else os.fstat(self._raw.fileno()).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from this offset; none at the end."""
        if self._gzip is None:
            return os.pread(self._raw.fileno(), size, offset)
        try:
            self._gzip.seek(offset)
            # Not read(): for truncated data it would lose the bytes before the break.
            return self._gzip.read1(size) if self._gzip.tell() == offset else b""
        except (EOFError, zlib.error) as error:
            raise OSError(errno.EIO, f"the gzip data are broken: {error}", self.path) from error

    def close(self) -> None:
        """Close it; the content of a file that was deleted is lost then."""
        if self._gzip is not None:
            self._gzip.close()
        self._raw.close()


def _open_without_waiting(path: str, flags: int) -> int:
    # Opening a FIFO or a device without a writer would block.
    return os.open(path, flags | os.O_NONBLOCK)


def open_log(path: str) -> Optional[LogFile]:
    """Open a log; None if it does not exist. Raises OSError for any other reason."""
    try:
        return LogFile(path)
    except FileNotFoundError:
        return None


class Fingerprint(NamedTuple):
    """A hash of the first `length` bytes. Inodes are reused, and a truncated file keeps its own."""

    length: int = 0
    digest: str = ""

    @property
    def is_distinctive(self) -> bool:
        """Whether it is long enough to identify a copy."""
        return self.length >= LEAST_FINGERPRINT

    @classmethod
    def of(cls, file: LogFile) -> Fingerprint:
        """Take the fingerprint of the file's current content."""
        head = file.read(0, LONGEST_FINGERPRINT)
        return cls(len(head), _digest(head))

    def fits(self, file: LogFile) -> bool:
        """Whether the file begins with the same bytes."""
        head = file.read(0, self.length)
        return len(head) == self.length and _digest(head) == self.digest if self.length else True


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:16] if head else ""
