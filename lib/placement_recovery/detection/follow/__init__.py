"""Follows logs as they grow, are rotated and come anew, and says once what stands in them. Standard library only.

globs      which files are followed, and the host that a path tells
logfile    an open log, and how one is known again
rotation   where the rest of a file went
stream     one log over all its rotations: bytes in, events out
follower   all logs, a bounded amount a poll
cooldown   one trigger a host and while
memory     what outlives the sensor, in StackStorm's datastore
watch      what the sensor does at each poll
"""
