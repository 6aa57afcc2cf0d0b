"""What every kind of metadata has to have: the keys that StackStorm knows, the name it goes by, and the pack's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.checks.subject import Subject
from lab.stackstorm import schema


def metadata_problems(
    subject: Subject, documents: Mapping[str, Mapping[str, Any]], keys: Mapping[str, Any], prefix: str = ""
) -> list[str]:
    """What is wrong with these; each name is its file's, behind the prefix (bootstrap/*registrar.py)."""
    found = []
    for path, document in documents.items():
        try:
            schema.validate(document, keys)
        except schema.Invalid as error:
            found.append(f"{path}: {error}")
        name, pack = f"{prefix}{Path(path).stem}", document.get("pack", subject.ref)
        if document.get("name") != name:
            found.append(f"{path}: its name is {document.get('name')!r}, not {name!r}")
        if pack != subject.ref:
            found.append(f"{path}: its pack is {pack!r}, not {subject.ref!r}")
    return found
