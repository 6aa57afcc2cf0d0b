"""close_recovery of a transplant: nothing ends before a write that was not answered can no longer be carried out."""

from __future__ import annotations

from placement_recovery.errors import VerificationFailed
from placement_recovery.records.journal import Journal
from placement_recovery.records.record import BACK
from placement_recovery.recovery.context import Context
from placement_recovery.recovery.late_writes import wait_out_late_writes
from placement_recovery.recovery.replacement import children_astray, look_at_replacement
from placement_recovery.recovery.steps.close_recovery import close_recovery


def close_transplant(context: Context, journal: Journal) -> str:
    """Wait late writes out, look at the roots again, and close. Raises VerificationFailed where they are not right."""
    wait_out_late_writes(context, journal)
    seen, saved = look_at_replacement(context, journal), journal.saved
    expected = saved.stale.uuid if journal.progress.direction == BACK else seen.hypervisor.uuid
    others = {*seen.stale_uuids, *([seen.new.uuid] if seen.new else [])} - {expected}
    if seen.named is None or seen.named.uuid != expected or others:
        held = seen.named.uuid if seen.named else "no provider"
        raise VerificationFailed(
            f"the name {saved.node} is borne by {held}, not by {expected}"
            + (f", and {', '.join(sorted(others))} still stand(s)" if others else "")
            + ": a late write was carried out. Nothing is enabled"
        )
    astray = children_astray(context, saved, seen, expected)
    if astray:
        raise VerificationFailed(f"{'; '.join(astray)}: a late write was carried out. Nothing is enabled; resume")
    return close_recovery(context, journal)
