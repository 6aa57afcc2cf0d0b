from st2common.runners.base_action import Action

from placement_recovery.entry.automation import receive_alerts


class ReceiveAlerts(Action):
    def run(self, body):
        return receive_alerts(self, body)
