from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class CopyProviderSettings(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "copy_provider_settings", recovery_id, attempt)
