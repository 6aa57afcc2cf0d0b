from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class WaitForNovaCompute(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "wait_for_nova_compute", recovery_id, attempt)
