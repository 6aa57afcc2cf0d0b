"""JSON documents that are validated on every save and every load, with errors that point into the document."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from typing import Any, Dict, Mapping

import jsonschema

from placement_recovery.errors import RecordInvalid


def checksum(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document without its own `checksum`, whatever the order of its keys."""
    bare = {name: value for name, value in document.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def dumps(part: str, document: Mapping[str, Any]) -> str:
    """The text of a document. Raises RecordInvalid where it breaks the part's schema."""
    _validate(part, document)
    return json.dumps(document, indent=1, sort_keys=True)


def loads(part: str, recovery_id: str, text: str) -> Dict[str, Any]:
    """The document in a text. Raises RecordInvalid where it was cut off, altered, or is another record's."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordInvalid(
            f"recovery {recovery_id}: its {part} record is not JSON ({error}); it was cut off or altered. Nothing is "
            f"done with it: put the original back from a backup of the store"
        ) from error
    _check_version(part, document, recovery_id)
    _validate(part, document, recovery_id)
    if document["id"] != recovery_id:
        raise RecordInvalid(f"recovery {recovery_id}: its {part} record belongs to recovery {document['id']}")
    return dict(document)


def trusted(part: str, recovery_id: str, text: str) -> Dict[str, Any]:
    """The same without its version and checksum. Raises RecordInvalid also where the checksum is another one's."""
    document = loads(part, recovery_id, text)
    if document.pop("checksum") != checksum(document):
        raise RecordInvalid(
            f"recovery {recovery_id}: its {part} record is not what was written (checksum differs). Nothing is done "
            f"with it: put the original back from a backup of the store"
        )
    document.pop("version")
    return document


def _check_version(part: str, document: Any, recovery_id: str) -> None:
    """A record of another version of this pack may mean other things by the same names."""
    known = _definitions()[part]["properties"]["version"]["const"]
    found = document.get("version") if isinstance(document, dict) else None
    if isinstance(found, int) and found != known:
        raise RecordInvalid(
            f"recovery {recovery_id}: its {part} record has version {found}, and this version of the pack reads "
            f"version {known}. Nothing is done with it: finish this recovery with the version of the pack that began it"
        )


def _validate(part: str, document: Mapping[str, Any], recovery_id: str = "") -> None:
    error = jsonschema.exceptions.best_match(_validator(part).iter_errors(document))
    if error is not None:
        where = "/".join(str(step) for step in error.absolute_path) or "(top)"
        name = recovery_id or (document.get("id", "?") if isinstance(document, dict) else "?")
        reason = error.message if len(error.message) < 200 else f"breaks {error.validator}"
        raise RecordInvalid(
            f"recovery {name}: its {part} record breaks the schema at {where}: {reason}. Nothing is done with it"
        )


@lru_cache(maxsize=None)
def _validator(part: str) -> Any:
    definitions = _definitions()
    return jsonschema.Draft7Validator({**definitions[part], "definitions": definitions})


@lru_cache(maxsize=None)
def _definitions() -> Any:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record.schema.json")
    with open(path, encoding="utf-8") as file:
        return json.load(file)["definitions"]
