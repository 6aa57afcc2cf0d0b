from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import show_host


class ShowHost(Action):
    def run(self, host):
        return show_host(self, host)
