"""Restarting nova-compute on the machine of a compute host.

restarter   Restarter: probes and restarts any host with the strategy that the configuration chose
strategies  the strategies: systemd unit, container, configured command
sudo        runs programs through sudo and explains its refusals
machine     where programs run: this machine
ssh         where programs run: a machine reached by OpenSSH's client
process     one program with a deadline, in its own process group, and its result
"""
