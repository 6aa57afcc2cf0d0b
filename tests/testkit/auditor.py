"""Runs the action's call on the test cloud, and counts its requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

from placement_recovery.audit.audit import audit
from placement_recovery.cloud.model import LOCK_PREFIX
from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.placement import Placement
from placement_recovery.cloud.reader import Reader
from placement_recovery.cloud.session import connect
from placement_recovery.entry.automation import audit_cloud
from placement_recovery.records.record import Progress
from placement_recovery.records.stores import PROGRESS
from placement_recovery.recovery.context import Context
from testkit.automatic import Automatic, payloads


class CountingApi:
    """A service's Api that counts."""

    def __init__(self, api: Any, counts: Counter) -> None:
        self._api, self._counts = api, counts
        self.greatest_microversion = api.greatest_microversion

    def get(self, path: str, version: str, params: Any = None) -> Any:
        """GET, counted by the path without its UUIDs."""
        self._counts[f"{self._api.service} {_shape(path)}"] += 1
        return self._api.get(path, version, params)


def _shape(path: str) -> str:
    return "/".join("*" if part.count("-") == 4 else part for part in path.split("/"))


class Auditor:
    """The session's cloud holds what other stories made, so that findings are asked for by host or subject."""

    def __init__(self, cloud: Any, datastore: Path) -> None:
        self._automatic = Automatic(cloud, datastore)
        self._datastore = datastore
        self.config = self._automatic.config

    def run(self, deep: bool = False, dispatch: bool = False, **options: Any) -> Dict[str, Any]:
        """The result of the action, which has to succeed."""
        ok, result = self.try_run(deep, dispatch, **options)
        assert ok, result
        return result

    def try_run(self, deep: bool = False, dispatch: bool = False, **options: Any) -> Tuple[bool, Dict[str, Any]]:
        """What the action answers."""
        return audit_cloud(self._automatic.action(**options), deep, dispatch)

    def of(self, *subjects: str, **options: Any) -> List[Tuple[str, str]]:
        """(kind, next) of all findings about these hosts, UUIDs or ids; none may be left out for want of space."""
        context = self.context(**options.pop("config", {}))
        found = audit(context, options.pop("deep", False)).findings
        return [(one.kind, one.next) for one in found if {one.host, one.subject} & set(subjects)]

    def summary_of(self, subject: str, deep: bool = False) -> str:
        """The one finding about this."""
        (found,) = (one for one in audit(self.context(), deep).findings if one.subject == subject)
        return found.summary

    def requests(self, deep: bool = False) -> Counter:
        """How many requests of which kind one audit makes."""
        context, counts = self.context(), Counter()
        nova_api, placement_api = connect(context.config)
        nova = Nova(CountingApi(nova_api, counts), context.config)
        placement = Placement(CountingApi(placement_api, counts), context.config)
        counted = replace(context, nova=nova, placement=placement, reader=Reader(nova, placement, 8))
        audit(counted, deep)
        return counts

    def context(self, **options: Any) -> Context:
        """As the action opens it."""
        return self._automatic.context(self._automatic.action(**options))

    def dispatched(self) -> List[Dict[str, Any]]:
        """The payloads of all triggers that went out."""
        return payloads(self._datastore)



def lock_of(recovery):
    """The trait that is a recovery's lock."""
    return f"{LOCK_PREFIX}{recovery.upper()}_RUN1"


def record(context, recovery_id, host, state):
    """A recovery of a host in the store."""
    now = context.clock.now()
    progress = Progress(recovery_id, "0" * 64, host, "preserve", now, now, state, attempt="run1")
    context.store.put(recovery_id, PROGRESS, progress.to_text())
