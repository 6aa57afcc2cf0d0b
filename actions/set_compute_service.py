from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import set_service


class SetComputeService(Action):
    def run(self, recovery_id, enabled, attempt=""):
        return set_service(self, recovery_id, enabled, attempt)
