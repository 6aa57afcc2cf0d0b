from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class ReturnAllocations(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "return_allocations", recovery_id, attempt)
