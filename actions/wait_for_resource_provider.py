from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step

STEPS = {"periodic": "wait_for_periodic", "restart": "wait_for_resource_provider"}


class WaitForResourceProvider(Action):
    def run(self, recovery_id, patience="restart", attempt=""):
        return step(self, STEPS[patience], recovery_id, attempt)
