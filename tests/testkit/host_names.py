"""Host names that must never reach a shell."""

from __future__ import annotations

HOSTILE = [
    "-oProxyCommand=touch /tmp/x",
    "a;rm -rf /",
    "$(reboot)",
    "`reboot`",
    "a b",
    "a\nb",
    "compute-0\n",
    "a\x00b",
    "a\x1b[31m",
    "a/../b",
    "a|b",
    "a'b",
    'a"b',
    "a%h",
    "fe80::1%$(reboot)",
    "computé",
    "compute-\u0660",
]
