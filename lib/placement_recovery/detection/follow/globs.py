"""Which files are followed, and the host that a path names."""

from __future__ import annotations

import glob
import re
from typing import Iterator, List, Optional, Pattern, Tuple

from placement_recovery.errors import ConfigurationError

_HOST = "{host}"
_WILDCARD = re.compile(r"[*?\[]")


class LogGlob:
    """A pattern of paths as in a shell (``*``, ``?``, ``[...]``; no ``**``). Raises ConfigurationError.

    The path names the host where the pattern has ``{host}``, or where a folder's whole name is ``*`` (the last such):
    ``/var/log/remote/*/nova-compute.log``, ``/var/log/remote/nova-compute.{host}.log``.
    """

    def __init__(self, pattern: str) -> None:
        _check(pattern)
        self.pattern = pattern
        parts = pattern.split("/")
        self._place = _place_of_host(parts)
        self._name = _name_pattern(parts[self._place]) if self._place is not None else None
        self._glob = pattern.replace(_HOST, "*")

    def find(self) -> Iterator[Tuple[str, str]]:
        """Yield each existing path and the host that it names, empty if it names none.

        A folder that cannot be read is skipped, as glob does.
        """
        if not _WILDCARD.search(self._glob):
            yield self._glob, ""
            return
        for path in sorted(glob.iglob(self._glob)):
            yield path, self._host_in(path)

    def _host_in(self, path: str) -> str:
        if self._place is None or self._name is None:
            return ""
        match = self._name.fullmatch(path.split("/")[self._place])
        return match["host"] if match else ""


def _check(pattern: str) -> None:
    if not pattern.startswith("/"):
        raise ConfigurationError(f"log_globs: {pattern!r} is not an absolute path")
    if "**" in pattern or "//" in pattern:
        raise ConfigurationError(f"log_globs: {pattern!r} has '**' or '//'; name each level of folders")
    if pattern.count(_HOST) > 1:
        raise ConfigurationError(f"log_globs: {pattern!r} names the host more than once")
    marked = next((part for part in pattern.split("/") if _HOST in part), "")
    if _WILDCARD.search(marked.replace(_HOST, "")):
        raise ConfigurationError(f"log_globs: {pattern!r} has a wildcard beside {{host}} in one name")


def _place_of_host(parts: List[str]) -> Optional[int]:
    marked = [number for number, part in enumerate(parts) if _HOST in part]
    found = marked or [number for number, part in enumerate(parts[:-1]) if part == "*"]
    return found[-1] if found else None


def _name_pattern(part: str) -> Pattern[str]:
    before, _, after = part.replace("*", _HOST).partition(_HOST)
    return re.compile(f"{re.escape(before)}(?P<host>.+){re.escape(after)}")
