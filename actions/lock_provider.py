from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class LockProvider(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "lock_provider", recovery_id, attempt)
