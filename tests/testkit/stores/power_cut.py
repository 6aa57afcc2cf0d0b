"""What a disk can hold after a power cut, computed from what a FileStore asked of it.

The promise of a file system is taken at its least. A file that was not synced holds any beginning of what was written
to it. A name that was not synced (by its folder) is what it was at any moment since the folder's last sync, each name
by itself: a rename may have happened in one place and not in the other.
"""

from __future__ import annotations

import os
from itertools import product
from typing import Dict, Iterator, List, Optional, Set, Tuple

from placement_recovery.records.stores.disk import Disk

Content = Dict[str, bytes]


class Remains:
    """What is surely on the disk, and what may be, at one moment. A file is a number; a name leads to one or none."""

    def __init__(self, content: Content) -> None:
        self.data: List[bytes] = list(content.values())
        self.synced: List[int] = [len(data) for data in self.data]
        self.names: Dict[str, List[Optional[int]]] = {name: [number] for number, name in enumerate(content)}

    def create(self, name: str) -> int:
        """Make an empty file under a name."""
        self.data.append(b"")
        self.synced.append(0)
        self.point(name, len(self.data) - 1)
        return len(self.data) - 1

    def point(self, name: str, number: Optional[int]) -> None:
        """Let a name lead to another file, or to none."""
        self.names.setdefault(name, [None]).append(number)

    def sync_names(self) -> None:
        """Settle each name."""
        self.names = {name: been[-1:] for name, been in self.names.items()}

    def outcomes(self) -> Iterator[Content]:
        """Give each content that the folder can have when the power is back."""
        for choice in product(*self.names.values()):
            leads = {name: number for name, number in zip(self.names, choice) if number is not None}
            numbers = sorted(set(leads.values()))
            for lengths in product(*(range(self.synced[number], len(self.data[number]) + 1) for number in numbers)):
                kept = {number: self.data[number][:length] for number, length in zip(numbers, lengths)}
                yield {name: kept[number] for name, number in leads.items()}


class PowerCutDisk(Disk):
    """Does what it is asked, and notes after each call what a power cut at this moment could leave.

    `forgets_sync`: notes nothing of a file's sync, to see that the judgement notices its absence.
    """

    def __init__(self, folder: str, forgets_sync: bool = False) -> None:
        self._remains = Remains({name: _read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))})
        self._handles: Dict[int, int] = {}
        self._forgets_sync = forgets_sync
        self.moments: List[List[Content]] = []
        self._note()

    def create(self, path: str) -> int:
        """Note a new file."""
        handle = super().create(path)
        self._handles[handle] = self._remains.create(os.path.basename(path))
        self._note()
        return handle

    def write(self, handle: int, data: memoryview) -> int:
        """Note what was written."""
        written = super().write(handle, data)
        self._remains.data[self._handles[handle]] += bytes(data[:written])
        self._note()
        return written

    def sync(self, handle: int) -> None:
        """Note that the file is safe."""
        super().sync(handle)
        number = self._handles[handle]
        if not self._forgets_sync:
            self._remains.synced[number] = len(self._remains.data[number])
        self._note()

    def link(self, path: str, name: str) -> None:
        """Note a second name."""
        super().link(path, name)
        self._remains.point(os.path.basename(name), self._now(path))
        self._note()

    def rename(self, path: str, name: str) -> None:
        """Note two changes of names."""
        super().rename(path, name)
        self._remains.point(os.path.basename(name), self._now(path))
        self._remains.point(os.path.basename(path), None)
        self._note()

    def remove(self, path: str) -> None:
        """Note that a name is gone."""
        super().remove(path)
        self._remains.point(os.path.basename(path), None)
        self._note()

    def sync_folder(self, folder: str) -> None:
        """Note that the names are safe."""
        super().sync_folder(folder)
        self._remains.sync_names()
        self._note()

    def all_outcomes(self) -> List[Content]:
        """Give, without repetition, each content that a power cut at any moment could have left."""
        seen: Set[Tuple[Tuple[str, bytes], ...]] = {
            tuple(sorted(content.items())) for moment in self.moments for content in moment
        }
        return [dict(items) for items in sorted(seen)]

    def last_outcomes(self) -> List[Content]:
        """Give each content that a power cut after the last call could leave."""
        return self.moments[-1]

    def _now(self, path: str) -> Optional[int]:
        return self._remains.names[os.path.basename(path)][-1]

    def _note(self) -> None:
        self.moments.append(list(self._remains.outcomes()))


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
