from st2common.runners.base_action import Action

from placement_recovery.actions import step

STEPS = {"periodic": "wait_for_periodic", "restart": "wait_for_resource_provider"}


class WaitForResourceProvider(Action):
    def run(self, recovery_id, patience="restart", run=""):
        return step(self, STEPS[patience], recovery_id, run)
