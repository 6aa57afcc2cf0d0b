from st2common.runners.base_action import Action

from placement_recovery.actions import step


class ReturnAllocations(Action):
    def run(self, recovery_id, run=""):
        return step(self, "return_allocations", recovery_id, run)
