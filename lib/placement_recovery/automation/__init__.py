"""What triggers may start: the cooldown, and who is notified, once."""
