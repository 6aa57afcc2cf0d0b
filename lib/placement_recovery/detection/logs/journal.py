"""The host of a journal's record that is written a field a line: journalctl -o export, verbose and json-pretty."""

from __future__ import annotations

import re

_HOSTNAME = re.compile(rb"\s{0,9}\"?_HOSTNAME\"?\s{0,9}[=:]\s{0,9}\"?(?P<host>[\w.:-]{1,255})")
_MESSAGE = re.compile(r"\s{0,9}\"?MESSAGE\"?\s{0,9}[=:]")


class JournalFields:
    """Remembers the field _HOSTNAME, which journald writes before the message."""

    def __init__(self, host: str = "") -> None:
        self.host = host

    def learn(self, line: bytes) -> None:
        """Take in one line that is not nova's."""
        found = _HOSTNAME.match(line)
        if found:
            self.host = found["host"].decode("ascii", "replace")

    def host_of(self, line: str) -> str:
        """The host of a line that is a record's message; empty for any other line."""
        return self.host if _MESSAGE.match(line) else ""
