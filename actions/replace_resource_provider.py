from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class ReplaceResourceProvider(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "replace_resource_provider", recovery_id, attempt)
