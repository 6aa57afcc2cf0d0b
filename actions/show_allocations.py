from st2common.runners.base_action import Action

from placement_recovery.entry.cloud import allocations


class ShowAllocations(Action):
    def run(self, provider="", consumer=""):
        return allocations(self, provider, consumer)
