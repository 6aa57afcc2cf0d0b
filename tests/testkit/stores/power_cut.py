"""What a disk can hold after a power cut, computed from the calls of a FileStore.

Only the weakest guarantees of a file system are assumed. A file that was not synced holds any prefix of what was
written to it. A name whose folder was not synced leads to any file that it led to since the folder's last sync, each
name independently: one half of a rename may have happened without the other.
"""

from __future__ import annotations

import os
from itertools import product
from typing import Dict, Iterator, List, Optional, Set, Tuple

from placement_recovery.records.stores.disk import Disk

Content = Dict[str, bytes]


class Remains:
    """What is certainly on the disk at one moment, and what may be. Files are numbered; a name leads to one or none."""

    def __init__(self, content: Content) -> None:
        self.data: List[bytes] = list(content.values())
        self.synced: List[int] = [len(data) for data in self.data]
        self.names: Dict[str, List[Optional[int]]] = {name: [number] for number, name in enumerate(content)}

    def create(self, name: str) -> int:
        """Create an empty file under a name."""
        self.data.append(b"")
        self.synced.append(0)
        self.point(name, len(self.data) - 1)
        return len(self.data) - 1

    def point(self, name: str, number: Optional[int]) -> None:
        """Let a name lead to another file, or to none."""
        self.names.setdefault(name, [None]).append(number)

    def sync_names(self) -> None:
        """Make the present file of each name durable."""
        self.names = {name: been[-1:] for name, been in self.names.items()}

    def contents(self) -> Iterator[Content]:
        """Yield each content that the folder can have after the power cut."""
        for choice in product(*self.names.values()):
            leads = {name: number for name, number in zip(self.names, choice) if number is not None}
            numbers = sorted(set(leads.values()))
            for lengths in product(*(range(self.synced[number], len(self.data[number]) + 1) for number in numbers)):
                kept = {number: self.data[number][:length] for number, length in zip(numbers, lengths)}
                yield {name: kept[number] for name, number in leads.items()}


class PowerCutDisk(Disk):
    """Performs each call, and records after it what a power cut at this moment could leave.

    `forgets_sync`: syncs of files are not recorded, to show that a missing one is detected.
    """

    def __init__(self, folder: str, forgets_sync: bool = False) -> None:
        self._remains = Remains({name: _read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))})
        self._handles: Dict[int, int] = {}
        self._forgets_sync = forgets_sync
        self.moments: List[List[Content]] = []
        self._record()

    def create(self, path: str) -> int:
        """Record a new file."""
        handle = super().create(path)
        self._handles[handle] = self._remains.create(os.path.basename(path))
        self._record()
        return handle

    def write(self, handle: int, data: memoryview) -> int:
        """Record what was written."""
        written = super().write(handle, data)
        self._remains.data[self._handles[handle]] += bytes(data[:written])
        self._record()
        return written

    def sync(self, handle: int) -> None:
        """Record that the file is durable."""
        super().sync(handle)
        number = self._handles[handle]
        if not self._forgets_sync:
            self._remains.synced[number] = len(self._remains.data[number])
        self._record()

    def link(self, path: str, name: str) -> None:
        """Record a second name."""
        super().link(path, name)
        self._remains.point(os.path.basename(name), self._now(path))
        self._record()

    def rename(self, path: str, name: str) -> None:
        """Record the change of both names."""
        super().rename(path, name)
        self._remains.point(os.path.basename(name), self._now(path))
        self._remains.point(os.path.basename(path), None)
        self._record()

    def remove(self, path: str) -> None:
        """Record that a name is removed."""
        super().remove(path)
        self._remains.point(os.path.basename(path), None)
        self._record()

    def sync_folder(self, folder: str) -> None:
        """Record that the names are durable."""
        super().sync_folder(folder)
        self._remains.sync_names()
        self._record()

    def all_contents(self) -> List[Content]:
        """Return, without duplicates, each content that a power cut at any moment could have left."""
        seen: Set[Tuple[Tuple[str, bytes], ...]] = {
            tuple(sorted(content.items())) for moment in self.moments for content in moment
        }
        return [dict(items) for items in sorted(seen)]

    def last_contents(self) -> List[Content]:
        """Return each content that a power cut after the last call could leave."""
        return self.moments[-1]

    def _now(self, path: str) -> Optional[int]:
        return self._remains.names[os.path.basename(path)][-1]

    def _record(self) -> None:
        self.moments.append(list(self._remains.contents()))


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
