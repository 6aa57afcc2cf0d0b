from st2common.runners.base_action import Action

from placement_recovery.entry.cloud import servers


class ListServers(Action):
    def run(self, host):
        return servers(self, host)
