"""Placement's tables as they stand, row by row and without what any write moves: ids, generations and times."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any, Dict, List, Tuple

Rows = List[Tuple[Any, ...]]

QUERIES = {
    "providers": """
        SELECT one.uuid, one.name, parent.uuid, root.uuid FROM resource_providers one
        LEFT JOIN resource_providers parent ON parent.id = one.parent_provider_id
        LEFT JOIN resource_providers root ON root.id = one.root_provider_id""",
    "inventories": """
        SELECT provider.uuid, class.name, total, reserved, min_unit, max_unit, step_size, allocation_ratio
        FROM inventories JOIN resource_providers provider ON provider.id = resource_provider_id
        JOIN resource_classes class ON class.id = resource_class_id""",
    "traits": """
        SELECT provider.uuid, trait.name FROM resource_provider_traits
        JOIN resource_providers provider ON provider.id = resource_provider_id
        JOIN traits trait ON trait.id = trait_id""",
    "aggregates": """
        SELECT provider.uuid, one.uuid FROM resource_provider_aggregates
        JOIN resource_providers provider ON provider.id = resource_provider_id
        JOIN placement_aggregates one ON one.id = aggregate_id""",
    "allocations": """
        SELECT consumer_id, provider.uuid, class.name, used FROM allocations
        JOIN resource_providers provider ON provider.id = resource_provider_id
        JOIN resource_classes class ON class.id = resource_class_id""",
    "consumers": """
        SELECT consumer.uuid, project.external_id, user.external_id, kind.name FROM consumers consumer
        JOIN projects project ON project.id = consumer.project_id JOIN users user ON user.id = consumer.user_id
        LEFT JOIN consumer_types kind ON kind.id = consumer.consumer_type_id""",
}


def placement_tables(cloud: Any) -> Dict[str, Rows]:
    """Names, parents, roots, inventories, traits, aggregates, allocations, owners and types of all that is there."""
    database = cloud.lab.folder / "db" / "placement.db"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)) as connection:
        return {what: sorted(connection.execute(query), key=repr) for what, query in QUERIES.items()}
