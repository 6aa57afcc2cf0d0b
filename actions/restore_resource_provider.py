from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class RestoreResourceProvider(Action):
    def run(self, recovery_id):
        return step(self, "restore_resource_provider", recovery_id)
