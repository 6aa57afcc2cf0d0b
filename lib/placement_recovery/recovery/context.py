"""What a step works with: the cloud's clients, the store, the way to restart, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from placement_recovery.clock import Clock
from placement_recovery.cloud.model import CloudIdentity
from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.placement import Placement
from placement_recovery.cloud.reader import Reader
from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from placement_recovery.errors import Refused
from placement_recovery.records.journal import Journal
from placement_recovery.records.stores import open_store
from placement_recovery.records.stores.base import Store
from placement_recovery.restart.restarter import Restarter


@dataclass(frozen=True)
class Context:
    """Everything outside of the record. Made once an action."""

    config: Config
    nova: Nova
    placement: Placement
    reader: Reader
    store: Store
    restarter: Restarter
    clock: Clock
    identity: CloudIdentity

    def journal(self, recovery_id: str) -> Journal:
        """The journal of a recovery. Raises RecordNotFound, RecordInvalid, StoreUnavailable.

        Raises Refused for one that began in another cloud.
        """
        journal = Journal.load(self.store, self.clock, recovery_id)
        was, now = journal.saved.cloud, self.identity
        if not was.is_same(now):
            raise Refused(
                f"recovery {recovery_id} belongs to the cloud of {was.auth_url} (region {was.region or '-'}, Placement "
                f"{was.placement}), and the configuration names {now.auth_url} (region {now.region or '-'}, Placement "
                f"{now.placement}): nothing is done. Set clouds_file and cloud to the former, then resume"
            )
        return journal


def open_context(config: Config, datastore: Optional[Any] = None) -> Context:
    """Log in and open the store. `datastore` is the datastore service of a StackStorm action."""
    store = open_store(config, datastore)
    restarter = Restarter(config)
    nova_api, placement_api = connect(config)
    nova, placement = Nova(nova_api, config), Placement(placement_api, config)
    reader = Reader(nova, placement, config.concurrency)
    identity = CloudIdentity(nova_api.auth_url, nova_api.region, nova_api.endpoint, placement_api.endpoint)
    return Context(config, nova, placement, reader, store, restarter, Clock(), identity)
