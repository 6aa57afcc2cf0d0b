from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class MoveAllocations(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "move_allocations", recovery_id, attempt)
