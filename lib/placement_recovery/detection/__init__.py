"""Detects the fault in logs and alerts, and defines its trigger. No OpenStack library is imported.

logs       lines of nova-compute's log in, faults out
payload    the trigger provider_creation_failed: name, payload and trace tag
alerts     the bodies that arrive at the webhook
follow     the log sensor: follows growing logs and dispatches triggers
__main__   the command that prints the faults in logs
"""
