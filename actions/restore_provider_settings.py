from st2common.runners.base_action import Action

from placement_recovery.actions import step


class RestoreProviderSettings(Action):
    def run(self, recovery_id, run=""):
        return step(self, "restore_provider_settings", recovery_id, run)
