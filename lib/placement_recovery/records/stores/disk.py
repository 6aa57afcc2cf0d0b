"""The operating system calls of FileStore; tests inject a failing Disk."""

from __future__ import annotations

import errno
import os
import stat

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a FIFO in place of a record would block forever.
_EXISTING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Disk:
    """A thin layer over `os`; every method raises OSError."""

    def create(self, path: str) -> int:
        """Open a new file, mode 0600, for writing; raises FileExistsError, also on a symbolic link."""
        return os.open(path, _NEW, 0o600)

    def write(self, handle: int, data: memoryview) -> int:
        """Write some of the data; returns how many bytes."""
        return os.write(handle, data)

    def sync(self, handle: int) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        """Close a file."""
        os.close(handle)

    def link(self, path: str, name: str) -> None:
        """Give a file a second name; raises FileExistsError if the name is taken. Of two concurrent calls one wins."""
        os.link(path, name)

    def rename(self, path: str, name: str) -> None:
        """Rename a file atomically, replacing a file of that name; a symbolic link there is replaced, not followed."""
        os.rename(path, name)

    def remove(self, path: str) -> None:
        """Remove a name; raises FileNotFoundError."""
        os.unlink(path)

    def sync_folder(self, folder: str) -> None:
        """Wait until the names in a folder are on the disk."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, path: str) -> bytes:
        """Read a regular file; a symbolic link is not followed, and any other type of file is refused."""
        handle = os.open(path, _EXISTING)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read()
        finally:
            os.close(handle)
