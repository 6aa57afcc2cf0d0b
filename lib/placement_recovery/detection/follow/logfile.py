"""An open log, plain or gzip, and the fingerprint by which its content is known again."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import stat
import zlib
from typing import NamedTuple, Optional

# A first line of nova's holds a time, so that two logs differ within this many bytes.
LONGEST_FINGERPRINT = 1024
# With fewer, which may be the day alone, only the inode tells that it is the same file.
LEAST_FINGERPRINT = 32


class LogFile:
    """A regular file that is open for reading. Raises OSError, also for anything that is no regular file.

    The inode is that of the file on the disk, packed or not; offsets are those of the content.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._raw = open(path, "rb", buffering=0, opener=_open_without_waiting)  # noqa: SIM115 - closed by close()
        try:
            status = os.fstat(self._raw.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file", path)
        except BaseException:
            self._raw.close()
            raise
        self.inode = status.st_ino
        self._packed = gzip.GzipFile(fileobj=self._raw) if path.endswith(".gz") else None

    @property
    def size(self) -> Optional[int]:
        """Bytes of the content now; None where only unpacking it all would tell."""
        return None if self._packed else os.fstat(self._raw.fileno()).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from there; none at the end."""
        if self._packed is None:
            return os.pread(self._raw.fileno(), size, offset)
        try:
            self._packed.seek(offset)
            # Not read(): where the data break off, it would lose what comes before.
            return self._packed.read1(size) if self._packed.tell() == offset else b""
        except (EOFError, zlib.error) as error:
            raise OSError(errno.EIO, f"the gzip data are broken: {error}", self.path) from error

    def close(self) -> None:
        """Close it; a file that is deleted already is gone then."""
        if self._packed is not None:
            self._packed.close()
        self._raw.close()


def _open_without_waiting(path: str, flags: int) -> int:
    # A fifo or a device without a writer would hold up the open.
    return os.open(path, flags | os.O_NONBLOCK)


def open_log(path: str) -> Optional[LogFile]:
    """Open a log; None where there is none. Raises OSError for any other reason."""
    try:
        return LogFile(path)
    except FileNotFoundError:
        return None


class Fingerprint(NamedTuple):
    """A hash of the first `length` bytes. Inodes are used again, and a truncated file keeps its own."""

    length: int = 0
    digest: str = ""

    @property
    def is_telling(self) -> bool:
        """Whether it is long enough to know a copy by."""
        return self.length >= LEAST_FINGERPRINT

    @classmethod
    def of(cls, file: LogFile) -> Fingerprint:
        """Take it of what the file holds now."""
        head = file.read(0, LONGEST_FINGERPRINT)
        return cls(len(head), _digest(head))

    def fits(self, file: LogFile) -> bool:
        """Whether the file begins with the same bytes."""
        head = file.read(0, self.length)
        return len(head) == self.length and _digest(head) == self.digest if self.length else True


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:16] if head else ""
