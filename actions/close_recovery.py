from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class CloseRecovery(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "close_recovery", recovery_id, attempt)
