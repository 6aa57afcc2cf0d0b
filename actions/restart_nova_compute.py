from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import restart


class RestartNovaCompute(Action):
    def run(self, recovery_id="", host="", attempt="", accept_loss=False):
        return restart(self, recovery_id, host, attempt, accept_loss)
