from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import step


class ReturnProviderName(Action):
    def run(self, recovery_id, attempt=""):
        return step(self, "return_provider_name", recovery_id, attempt)
