from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class VerifyRecovery(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "verify_recovery", recovery_id, attempt)
