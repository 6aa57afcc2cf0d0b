"""Follows growing logs through their rotations and dispatches a trigger for each fault. Standard library only.

globs      which files are followed, and the host that a path names
logfile    an open log, and the fingerprint that identifies its content
rotation   where the rest of a rotated file is
stream     one log over all its rotations: bytes in, events out
follower   all logs, a bounded amount per poll
cooldown   log_cooldown: at most one trigger per host and period
positions  the log positions, saved in StackStorm's datastore
watch      what the sensor does at each poll
"""
