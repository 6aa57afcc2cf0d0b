"""What recover_host does where a trigger started it, up to the method: plan_recovery, then notify_outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

from st2common.runners.base_action import Action

from lab.stackstorm import triggers
from lab.stackstorm.services import ActionService
from placement_recovery.automation.notification import EndedRun
from placement_recovery.config import Config
from placement_recovery.entry.automation import notify
from placement_recovery.entry.recoveries import planned
from placement_recovery.plan.case import Request
from placement_recovery.recovery.context import Context, open_context
from placement_recovery.recovery.planning import plan_recovery


class AnyAction(Action):
    """Has what the library takes from an action."""

    def run(self) -> None:
        """Nothing."""


class Automatic:
    """`trigger(host)` is one run; `sent()` are the payloads of all needs_approval that went out."""

    def __init__(self, cloud: Any, datastore: Path) -> None:
        self.config = cloud.config(store="datastore")
        self._datastore = datastore
        self._contexts: Dict[str, Context] = {}

    def action(self, **options: Any) -> Action:
        """An action with the test cloud's configuration, but for these options."""
        service = ActionService("placement_recovery", "AnyAction", "INFO")
        return AnyAction({**self.config, **options}, service)

    def context(self, action: Action) -> Context:
        """As the action opens it; logging in once a configuration is enough."""
        key = repr(sorted(action.config.items()))
        if key not in self._contexts:
            self._contexts[key] = open_context(Config.from_mapping(action.config), action.action_service)
        return self._contexts[key]

    def trigger(self, host: str, **options: Any) -> Dict[str, Any]:
        """The plan's result; a plan that is refused or needs approval ends as in the workflow."""
        action = self.action(**options)
        made = planned(plan_recovery(self.context(action), host, Request(automatic=True))[1])
        if made["state"] in ("refused", "needs_approval"):
            fields = {name: made[name] for name in ("host", "state", "finding", "method", "digest", "summary", "next")}
            ok, said = notify(action, EndedRun(**fields, text=made["brief"]))
            assert ok, said
        return made

    def person(self, host: str, **request: Any) -> Dict[str, Any]:
        """The result of a plan that a person asked for."""
        return planned(plan_recovery(self.context(self.action()), host, Request(**request))[1])

    def sent(self) -> List[Dict[str, Any]]:
        """In the order in which they went out."""
        return payloads(self._datastore)


def payloads(datastore: Path) -> List[Dict[str, Any]]:
    """The payloads of all triggers that were dispatched over this datastore, in their order."""
    return [one.payload for one in triggers.read(datastore)]
