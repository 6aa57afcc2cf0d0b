from st2common.runners.base_action import Action

from placement_recovery.entry.automation import audit_cloud


class AuditCloud(Action):
    def run(self, dispatch=False, deep=False):
        return audit_cloud(self, deep, dispatch)
