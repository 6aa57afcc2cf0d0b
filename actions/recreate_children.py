from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import recreate


class RecreateChildren(Action):
    def run(self, recovery_id, approve=""):
        return recreate(self, recovery_id, approve)
