from st2common.runners.base_action import Action

from placement_recovery.actions import step


class CloseRecovery(Action):
    def run(self, recovery_id, run=""):
        return step(self, "close_recovery", recovery_id, run)
