from st2common.runners.base_action import Action

from placement_recovery.actions import step


class DeleteResourceProvider(Action):
    def run(self, recovery_id, run=""):
        return step(self, "delete_resource_provider", recovery_id, run)
