"""The trigger provider_creation_failed: its name, its payload and its trace tag. Standard library only."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Dict

from placement_recovery.errors import InvalidInput
from placement_recovery.names import check_host_name

PROVIDER_CREATION_FAILED = "placement_recovery.provider_creation_failed"

FROM_LOG = "log"
FROM_ALERT = "alert"
FROM_AUDIT = "audit"
SOURCES = (FROM_LOG, FROM_ALERT, FROM_AUDIT)

# The details and the characters that the schema allows for each.
LONGEST = {"node": 255, "provider_name": 255, "compute_node_uuid": 36, "time": 64, "request_id": 255, "file": 4096}


@dataclass(frozen=True)
class ProviderCreationFailed:
    """What a source reports about one host; the fields are those of triggers/provider_creation_failed.yaml.

    `host` alone decides anything. The details may be empty, and are cut to the length that the schema allows.
    Raises InvalidInput that names the field for a host name that Nova cannot have, a source that is not in SOURCES,
    or a detail that is not text: StackStorm may drop an invalid payload without a word.
    """

    source: str
    host: str
    node: str = ""
    provider_name: str = ""
    compute_node_uuid: str = ""
    time: str = ""
    request_id: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if not isinstance(value, str):
                raise _invalid(field.name, f"must be text, not {type(value).__name__}")
        if self.source not in SOURCES:
            raise _invalid("source", f"must be one of {', '.join(SOURCES)}, not {ascii(self.source)[:80]}")
        try:
            check_host_name(self.host)
        except InvalidInput as error:
            raise _invalid("host", str(error)) from error
        for name, longest in LONGEST.items():
            object.__setattr__(self, name, getattr(self, name)[:longest])

    def as_dict(self) -> Dict[str, str]:
        """The payload as StackStorm takes it: every field, by name."""
        return asdict(self)

    @property
    def trace_tag(self) -> str:
        """Equal for equal reports, so that a repeated dispatch can be recognised in StackStorm's traces."""
        identity = (self.source, self.host, self.compute_node_uuid, self.time, self.request_id, self.file)
        digest = hashlib.sha256("\n".join(identity).encode("utf-8", "backslashreplace")).hexdigest()
        return f"placement_recovery-{self.host}-{digest[:12]}"


def _invalid(name: str, fact: str) -> InvalidInput:
    return InvalidInput(f"payload field {name}: {fact}")
