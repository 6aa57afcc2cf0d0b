from st2common.runners.base_action import Action

from placement_recovery.automation import tell
from placement_recovery.telling import Outcome


class TellOutcome(Action):
    def run(self, host, state, finding, method="", digest="", summary="", next="", text=""):
        return tell(self, Outcome(host, state, finding, method, digest, summary, next, text))
