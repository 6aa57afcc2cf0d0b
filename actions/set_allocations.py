from st2common.runners.base_action import Action

from placement_recovery.actions import step


class SetAllocations(Action):
    def run(self, recovery_id, run=""):
        return step(self, "set_allocations", recovery_id, run)
