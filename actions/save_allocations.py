from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import save
from placement_recovery.plan.case import Request


class SaveAllocations(Action):
    def run(self, host, method="transplant", digest="", unknown="keep", recovery_id="", user=""):
        return save(self, host, Request(method, unknown, digest), recovery_id, user)
