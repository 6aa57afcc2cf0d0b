"""The machine on which nova-compute runs: what it may be called, and how its nova-compute is restarted.

names     what a compute host and an SSH target can be
process   one program, with a deadline, as a process group of its own
machine   where programs run: this machine
ssh       where programs run: a machine behind OpenSSH's client
sudo      what sudo permits, and how it says no
ways      systemd unit, container, configured command
restart   Restarter: the way that the configuration chose
"""
