from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class CreateResourceProvider(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "create_resource_provider", recovery_id, attempt)
