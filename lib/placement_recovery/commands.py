"""The commands that messages tell a person to type, each made here and nowhere else."""

from __future__ import annotations

from typing import Optional

PACK = "placement_recovery"


def st2_run(action: str, **parameters: Optional[str]) -> str:
    """`st2 run PACK.ACTION name=value ...`; parameters that are None or empty are left out."""
    given = [f"{name}={value}" for name, value in parameters.items() if value]
    return " ".join([f"st2 run {PACK}.{action}", *given])


def recover(host: str, method: str = "", unknown: str = "", approve: str = "") -> str:
    """Recover a host."""
    return st2_run("recover_host", host=host, method=method, unknown=unknown, approve=approve)


def plan(host: str, method: str = "") -> str:
    """Show the plan for a host."""
    return st2_run("plan_recovery", host=host, method=method)


def recreate_children(recovery_id: str, approve: str = "") -> str:
    """Let nova-compute recreate its child providers."""
    return st2_run("recreate_children", recovery_id=recovery_id, approve=approve)


def resume(recovery_id: str) -> str:
    """Go on with a recovery."""
    return st2_run("resume_recovery", recovery_id=recovery_id)


def roll_back(recovery_id: str) -> str:
    """Take a recovery back."""
    return st2_run("rollback_recovery", recovery_id=recovery_id)


def show_recovery(recovery_id: str = "") -> str:
    """Show one recovery, or all."""
    return st2_run("show_recoveries", recovery_id=recovery_id)


def show_allocations(provider: str = "", consumer: str = "") -> str:
    """Show what is held on a provider, or by a consumer."""
    return st2_run("show_allocations", provider=provider, consumer=consumer)


def enable_service(host: str) -> str:
    """Enable a host's nova-compute service."""
    return f"openstack compute service set --enable {host} nova-compute"


def restart(host: str, accept_loss: bool = False) -> str:
    """Restart nova-compute of a host."""
    return st2_run("restart_nova_compute", host=host, accept_loss="true" if accept_loss else "")


def discover_hosts() -> str:
    """Map new compute hosts to their cell."""
    return "nova-manage cell_v2 discover_hosts"


def add_to_aggregate(aggregate: str, host: str) -> str:
    """Make a host a member of a host aggregate again."""
    return f"openstack aggregate add host {aggregate} {host}"


def heal_allocations(server_uuid: str, force: bool = False) -> str:
    """Give a server the allocations that its flavor asks for; without `force`, only where it holds nothing."""
    return f"nova-manage placement heal_allocations --instance {server_uuid}" + (" --force" if force else "")
