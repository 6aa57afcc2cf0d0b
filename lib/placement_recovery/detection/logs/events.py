"""The events in a log: faults, and other failures that resemble them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Dict, Union

UNREACHABLE = "unreachable"  # no answer from Placement, or no request could be sent
DENIED = "denied"            # 401 or 403, or credentials that do not work
UNAVAILABLE = "unavailable"  # 5xx
REJECTED = "rejected"        # any other answer, a 409 without a conflicting name included
UNKNOWN = "unknown"          # the log does not show the cause


@dataclass(frozen=True)
class Fault:
    """nova-compute could not create its provider because another one has its name.

    `host` is the caller's, else the one that the log line names, else `node`. `node` is taken from nova's second line;
    if that line is missing it is `provider_name`, which may be a child's. `time` is as in the log, `request_id` is
    nova's, empty if the log shows none. A log proves nothing: the API decides.
    """

    host: str
    node: str
    provider_name: str
    compute_node_uuid: str
    time: str
    request_id: str
    file: str

    def as_dict(self) -> Dict[str, str]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class OtherFailure:
    """nova-compute could not create its provider for another reason; a recovery would destroy a healthy one.

    `kind` is one of this module's constants, `cause` describes it. Fields that the log does not show are empty.
    """

    kind: str
    cause: str
    host: str
    node: str
    provider_name: str
    compute_node_uuid: str
    time: str
    request_id: str
    file: str

    def as_dict(self) -> Dict[str, str]:
        """The fields by name."""
        return asdict(self)


Event = Union[Fault, OtherFailure]
