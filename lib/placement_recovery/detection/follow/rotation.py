"""Finds the rest of a rotated file: renamed, copied before truncation, compressed by gzip."""

from __future__ import annotations

import os
import re
from contextlib import closing
from typing import Dict, List, NamedTuple, Optional, Tuple

from placement_recovery.detection.follow.logfile import Fingerprint, LogFile, open_log

# More than logrotate keeps. Any further ones, by name, are not searched.
MOST_SIBLINGS = 1000

_DATE = r"(?:19|20)\d{6}"
_ROTATED = re.compile(rf".*(?:\.log[.-]\d[\d.-]*|[.-]{_DATE}[\d.-]*\.log|\.(?:gz|xz|bz2|zst|lz4))")

# The naming scheme, and a number that grows with time: .2 is older than .1, -20261121 than -20261122.
Age = Tuple[str, int]


class Segment(NamedTuple):
    """One file of a stream: its inode, its fingerprint, and the offset of its first byte in the stream."""

    inode: int
    start: int
    fingerprint: Fingerprint

    def is_held_by(self, file: LogFile, offset: int) -> bool:
        """Whether the file holds this content, at least up to this offset of the stream."""
        size = file.size
        return (size is None or size >= offset - self.start) and self.fingerprint.fits(file)


def looks_rotated(path: str) -> bool:
    """Whether the path is that of a rotated file, which does not grow."""
    return _ROTATED.fullmatch(os.path.basename(path)) is not None


def find_rest(path: str, segment: Segment, offset: int) -> Optional[LogFile]:
    """Open the rotated file of this path that holds the segment up to this offset.

    It looks for the same inode first (renamed), then for the same content: a copy, and last a compressed one.
    """
    candidates = sorted(_siblings(path), key=lambda one: one.endswith(".gz"))
    for same_inode in (True, False):
        for candidate in candidates:
            found = _holding(candidate, segment, offset, same_inode)
            if found is not None:
                return found
    return None


def find_next(path: str, elder: str) -> Optional[LogFile]:
    """Open the oldest file that was rotated away from this path after the one named `elder`."""
    ages = _ages(path)
    if elder not in ages:
        return None
    kind, number = ages[elder]
    later = sorted((age, name) for name, age in ages.items() if age[0] == kind and age[1] > number)
    for _, name in later:
        found = open_log(name)
        if found is not None:
            return found
    return None


def _holding(candidate: str, segment: Segment, offset: int, same_inode: bool) -> Optional[LogFile]:
    if not same_inode and not segment.fingerprint.is_distinctive:
        return None
    try:
        file = open_log(candidate)
    except OSError:  # an unreadable file is not the one that was being read
        return None
    if file is None:
        return None
    try:
        if (file.inode == segment.inode) == same_inode and segment.is_held_by(file, offset):
            return file
    except OSError:  # gzip that is still being written
        pass
    file.close()
    return None


def _siblings(path: str) -> List[str]:
    folder, name = os.path.split(path)
    stem = name[: -len(".log")] if name.endswith(".log") else name
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.name.startswith(stem) and entry.name != name]
    except OSError:  # the folder is gone
        return []
    return [os.path.join(folder, one) for one in sorted(found)[:MOST_SIBLINGS]]


def _ages(path: str) -> Dict[str, Age]:
    """The rotated files of a path whose names show their age; a compressed one does not count beside its plain one."""
    name = os.path.basename(path)
    stem, dot, end = name.rpartition(".")
    named = [rf"{re.escape(name)}(?P<mark>[.-])(?P<age>\d[\d.-]*?)(?:\.gz)?"]
    if dot:
        named.append(rf"{re.escape(stem)}(?P<mark>[.-])(?P<age>{_DATE}[\d.-]*?){re.escape(dot + end)}(?:\.gz)?")
    patterns = [re.compile(one) for one in named]
    found = _siblings(path)
    ages = {}
    for sibling in found:
        if sibling.endswith(".gz") and sibling[: -len(".gz")] in found:
            continue
        matches = (one.fullmatch(os.path.basename(sibling)) for one in patterns)
        match = next(filter(None, matches), None)
        if match:
            ages[sibling] = _age(match["age"])
    return ages


def _age(text: str) -> Age:
    digits = int(re.sub(r"\D", "", text)[:18])
    return ("date", digits) if re.match(_DATE, text) else ("number", -digits)


def name_of(path: str, segment: Segment, offset: int) -> str:
    """The present name of the rotated file that holds the segment; empty if there is none."""
    file = find_rest(path, segment, offset)
    if file is None:
        return ""
    with closing(file):
        return file.path
