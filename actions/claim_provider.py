from st2common.runners.base_action import Action

from placement_recovery.actions import step


class ClaimProvider(Action):
    def run(self, recovery_id, run=""):
        return step(self, "claim_provider", recovery_id, run)
