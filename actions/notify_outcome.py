from st2common.runners.base_action import Action

from placement_recovery.automation.notification import EndedRun
from placement_recovery.entry.automation import notify


class NotifyOutcome(Action):
    def run(self, host, state, finding, method="", digest="", summary="", next="", text=""):
        return notify(self, EndedRun(host, state, finding, method, digest, summary, next, text))
