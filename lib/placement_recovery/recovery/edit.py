"""Change what a provider carries, while nova-compute changes it too."""

from __future__ import annotations

import random
from typing import Callable

from placement_recovery.errors import ApiConflict, StepFailed
from placement_recovery.model import Provider
from placement_recovery.recovery.context import Context

ATTEMPTS = 8


def edit(context: Context, provider_uuid: str, change: Callable[[Provider], bool]) -> bool:
    """Call `change` with the provider as it is, again with a newer look as long as its write meets a 409.

    A lost generation only means that somebody else wrote: the look before each attempt decides anew. Returns what
    `change` returns: whether it wrote. Raises StepFailed after a bounded number of attempts.
    """
    for _ in range(ATTEMPTS):
        provider = context.placement.describe(context.placement.show_provider(provider_uuid))
        try:
            return change(provider)
        except ApiConflict as error:
            last = error
            context.clock.sleep(random.uniform(0.05, 0.4))  # noqa: S311 - jitter, no secret
    raise StepFailed(
        f"provider {provider_uuid} could not be changed in {ATTEMPTS} attempts; see what else writes to it, then "
        f"resume. Last: {last}"
    ) from last
