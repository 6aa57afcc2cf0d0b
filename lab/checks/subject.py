"""The pack as the checks see it: each file is read once, unreadable ones are kept as problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.stackstorm.pack import Pack, PackError, load_document, load_pack, metadata_files

# Each method's steps as [task, action], or why the library cannot be imported.
Methods = Mapping[str, Sequence[Sequence[str]]] | str


@dataclass(frozen=True)
class Subject:
    """What is checked. Each kind of documents is a mapping from paths below the pack to documents."""

    folder: Path
    manifest: Mapping[str, Any]
    config_schema: Mapping[str, Any]
    actions: Mapping[str, Mapping[str, Any]]
    workflows: Mapping[str, Mapping[str, Any]]
    methods: Methods
    unreadable: Sequence[str] = field(default_factory=list)
    aliases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    triggers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sensors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """The pack's reference."""
        return str(self.manifest.get("ref") or self.manifest.get("name") or "")

    def pack(self) -> Pack | None:
        """The pack as the runner loads it; None if its metadata is broken, which other checks report."""
        return self._pack

    @cached_property
    def _pack(self) -> Pack | None:
        try:
            return load_pack(self.folder)
        except PackError:
            return None


def read(folder: Path, methods: Methods) -> Subject:
    """Read all documents of the pack."""
    unreadable: list[str] = []

    def documents(paths: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
        found = {}
        for path in paths:
            try:
                found[str(path.relative_to(folder))] = load_document(path)
            except PackError as error:
                unreadable.append(str(error))
        return found

    manifest = documents([folder / "pack.yaml"])
    schema = documents([folder / "config.schema.yaml"])
    return Subject(
        folder=folder,
        manifest=manifest.get("pack.yaml", {}),
        config_schema=schema.get("config.schema.yaml", {}),
        actions=documents(metadata_files(folder / "actions")),
        workflows=documents(metadata_files(folder / "workflows")),
        methods=methods,
        unreadable=unreadable,
        aliases=documents(metadata_files(folder / "aliases")),
        triggers=documents(metadata_files(folder / "triggers")),
        rules=documents(metadata_files(folder / "rules")),
        sensors=documents(metadata_files(folder / "sensors")),
    )
