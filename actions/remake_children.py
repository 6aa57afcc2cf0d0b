from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import remake


class RemakeChildren(Action):
    def run(self, recovery_id, approve=""):
        return remake(self, recovery_id, approve)
