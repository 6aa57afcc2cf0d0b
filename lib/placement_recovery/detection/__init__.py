"""The one definition of the fault: logs that grow, alerts, the trigger's payload. No OpenStack library is imported."""
