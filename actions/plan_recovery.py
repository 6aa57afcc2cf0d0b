from st2common.runners.base_action import Action

from placement_recovery.entry.recoveries import plan
from placement_recovery.plan.case import Request


class PlanRecovery(Action):
    def run(self, host, method="transplant", unknown="keep", approve="", automatic=False):
        return plan(self, host, Request(method, unknown, approve, automatic))
