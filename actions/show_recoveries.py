from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import recoveries, unfinished_recovery


class ShowRecoveries(Action):
    def run(self, recovery_id="", host="", unfinished=False):
        if unfinished:
            return unfinished_recovery(self, recovery_id, host)
        return recoveries(self, recovery_id, host)
