"""Claims that nobody gives back any more: their recovery has ended, or is not known. They keep every other one away."""

from __future__ import annotations

from typing import List, Mapping

from placement_recovery.audit.findings import DEAD_CLAIM, Finding
from placement_recovery.errors import ApiRejected
from placement_recovery.model import Provider, recovery_of_claim
from placement_recovery.recovery.context import Context

_TYPED = "openstack --os-placement-api-version 1.6"


def dead_claim_findings(context: Context, dead: Mapping[str, str]) -> List[Finding]:
    """Where these traits are, with one request each; `dead` maps them to what became of their recoveries."""
    looked = context.reader.each(lambda one: _findings(context, *one), list(dead.items()))
    return [one for found in looked for one in found]


def _findings(context: Context, claim: str, state: str) -> List[Finding]:
    """A finding a provider that bears the claim, or one where none does."""
    try:
        bearers = context.placement.list_providers(required=claim)
    except ApiRejected as error:
        if error.status != 400:
            raise
        return []  # Placement knows no such trait any more: its recovery has just given it back
    recovery = f"recovery {recovery_of_claim(claim)}, which is {state}"
    if not bearers:
        return [Finding(DEAD_CLAIM, "", claim, f"{claim}, on no provider, is a claim of {recovery}", _forget(claim))]
    return [_borne(claim, recovery, one, alone=len(bearers) == 1) for one in bearers]


def _borne(claim: str, recovery: str, provider: Provider, alone: bool) -> Finding:
    told = f"provider {provider.uuid} ({provider.name}) bears {claim}, so that nothing may recover it but {recovery}"
    way = [_take_away(claim, provider.uuid), *([_forget(claim)] if alone else [])]
    return Finding(DEAD_CLAIM, provider.name, claim, told, " && ".join(way))


def _take_away(claim: str, uuid: str) -> str:
    """There is no command for one trait: set the others, unless they could not be listed."""
    listed = f"traits=$({_TYPED} resource provider trait list -f value {uuid})"
    others = f'$(echo "$traits" | grep -vx {claim} | sed s/^/--trait=/)'
    return f"{listed} && {_TYPED} resource provider trait set {uuid} {others}"


def _forget(claim: str) -> str:
    return f"{_TYPED} trait delete {claim}"
