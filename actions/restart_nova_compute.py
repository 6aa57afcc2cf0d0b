from st2common.runners.base_action import Action

from placement_recovery.actions import restart


class RestartNovaCompute(Action):
    def run(self, recovery_id="", host="", run=""):
        return restart(self, recovery_id, host, run)
