"""What is read out of a log: faults, and troubles that look like them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Dict, Union

UNREACHABLE = "unreachable"  # no answer from Placement, or none could be asked for
DENIED = "denied"            # 401 or 403, or credentials that do not work
UNAVAILABLE = "unavailable"  # 5xx
REJECTED = "rejected"        # any other answer, a 409 without a conflicting name included
UNKNOWN = "unknown"          # the log does not hold the cause


@dataclass(frozen=True)
class Fault:
    """nova-compute could not create its provider because another one bears the name.

    `host` is the caller's, else the one that the log line names, else `node`. `node` is the one of nova's second
    line; where that line is missing it is `provider_name`, which may then be a child's. `time` is as in the log,
    `request_id` is nova's, empty where the log shows none. A log is no proof: the API decides.
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
class Trouble:
    """nova-compute could not create its provider for another reason; recovering would destroy a healthy one.

    `kind` is one of this module's constants, `cause` says it in words. What the log does not tell is empty.
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


Event = Union[Fault, Trouble]
