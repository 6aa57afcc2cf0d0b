from st2common.runners.base_action import Action

from placement_recovery.actions import step


class VerifyRecovery(Action):
    def run(self, recovery_id, run=""):
        return step(self, "verify_recovery", recovery_id, run)
