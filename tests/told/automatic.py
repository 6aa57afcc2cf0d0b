"""What recover_host does where a trigger started it, up to the method: plan_recovery, then tell_outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

from st2common.runners.base_action import Action
from st2common.services import dispatched
from st2common.standin import ActionService, ActionWrapper

from placement_recovery.actions import plan
from placement_recovery.automation import tell
from placement_recovery.plan.case import Request
from placement_recovery.telling import Outcome


class AnyAction(Action):
    """Has what the library takes from an action."""

    def run(self) -> None:
        """Nothing."""


class Automatic:
    """`trigger(host)` is one run; `sent()` are the payloads of all needs_approval that went out."""

    def __init__(self, cloud: Any, datastore: Path) -> None:
        self.config = cloud.config(store="datastore")
        self._datastore = datastore

    def action(self, **options: Any) -> Action:
        """An action with the test cloud's configuration, but for these options."""
        wrapper = ActionWrapper("placement_recovery", "AnyAction", "INFO")
        return AnyAction({**self.config, **options}, ActionService(wrapper))

    def trigger(self, host: str, **options: Any) -> Dict[str, Any]:
        """The plan's result; a plan that is refused or needs approval is told as the workflow does."""
        action = self.action(**options)
        ok, made = plan(action, host, Request(automatic=True))
        assert ok, made
        if made["state"] in ("refused", "needs_approval"):
            fields = {name: made[name] for name in ("host", "state", "finding", "method", "digest", "summary", "next")}
            ok, told = tell(action, Outcome(**fields, text=made["brief"]))
            assert ok, told
        return made

    def person(self, host: str, **request: Any) -> Dict[str, Any]:
        """The result of a plan that a person asked for."""
        ok, made = plan(self.action(), host, Request(**request))
        assert ok, made
        return made

    def sent(self) -> List[Dict[str, Any]]:
        """In the order in which they went out."""
        return [one.payload for one in dispatched.read(self._datastore)]
