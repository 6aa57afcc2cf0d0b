from st2common.runners.base_action import Action

from placement_recovery.entry.cloud import providers


class ListResourceProviders(Action):
    def run(self, name="", uuid="", in_tree=""):
        return providers(self, name, uuid, in_tree)
