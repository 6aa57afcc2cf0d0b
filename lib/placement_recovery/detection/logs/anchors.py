"""Nova's own sentences: what its message is found by, whatever stands before it or around it.

Their wording is the same from Queens to 2026.1.
"""

from __future__ import annotations

import re
from typing import Any, Iterator

NOT_CREATED = "Failed to create resource provider record in placement API for UUID "
NOT_UPDATED = "Error updating resources for node "
CREATION_FAILED = "ResourceProviderCreationFailed: "
# What nova's Placement client logs if it gets no answer.
NOT_RESPONDING = "Placement API service is not responding."
NO_ENDPOINT = "The placement API endpoint was not found."
NO_URL = "Discovering suitable URL for placement API failed."
NO_CREDENTIALS = "Placement service credentials do not work."
NO_AUTHENTICATION = "No authentication information found for placement API."
NO_ANSWER = (NOT_RESPONDING, NO_ENDPOINT, NO_URL, NO_CREDENTIALS, NO_AUTHENTICATION)

# nova puts the id of its request to Placement before the first of them.
ANCHOR = re.compile(rf"(?:\[[\w-]{{1,80}}\] )?(?:{'|'.join(map(re.escape, (NOT_CREATED, NOT_UPDATED, *NO_ANSWER)))})")

LOGGER = re.compile(r"(?<![\w.])nova(?:\.\w{1,100}){1,10}", re.ASCII)

_DEEPEST = 8
_MOST_STRINGS = 1000


def has_anchor(text: str) -> bool:
    """Whether one of nova's sentences is in a text."""
    return ANCHOR.search(text) is not None


def strings_in(value: Any) -> Iterator[str]:
    """The strings in a value of JSON, at a bounded depth, in their order, a bounded number of them."""
    waiting, left = [(value, 0)], _MOST_STRINGS
    while waiting and left:
        item, depth = waiting.pop()
        if isinstance(item, str):
            left -= 1
            yield item
        elif depth < _DEEPEST and isinstance(item, (dict, list)):
            inner = list(item.values()) if isinstance(item, dict) else item
            waiting.extend((one, depth + 1) for one in reversed(inner[:_MOST_STRINGS]))
