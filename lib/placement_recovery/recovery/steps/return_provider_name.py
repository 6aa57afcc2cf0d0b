"""return_provider_name: the last look of a rollback before it ends; the published methods never rename a provider."""

from __future__ import annotations

from placement_recovery.errors import VerificationFailed
from placement_recovery.records.journal import Journal
from placement_recovery.recovery.context import Context


def check_provider_name(context: Context, journal: Journal) -> str:
    """See that the stale provider bears its name. Raises VerificationFailed."""
    stale = journal.saved.stale
    found = context.reader.find_provider_by_name(stale.name)
    if found is None or found.uuid != stale.uuid:
        seen = "no provider" if found is None else found.uuid
        raise VerificationFailed(f"{seen} bears the name {stale.name}, not provider {stale.uuid}; roll back again")
    return f"provider {stale.uuid} bears the name {stale.name}"
