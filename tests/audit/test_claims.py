"""Claims whose recovery will not give them back are found, with what takes them away and nothing else."""

from __future__ import annotations

import subprocess

import pytest

from placement_recovery.audit.claims import dead_claim_findings
from placement_recovery.record.record import ABANDONED, FINISHED, OPEN, ROLLED_BACK
from tests.audit.conftest import claim_of
from tests.audit.test_ours import record

OSC = "openstack --os-placement-api-version 1.6"


@pytest.mark.parametrize("state", [FINISHED, ABANDONED, ROLLED_BACK])
def test_the_claim_of_a_recovery_that_has_ended_is_found(cloud, auditor, recovery, state):
    """On which provider, and what became of its recovery."""
    host, claim = cloud.healthy_host(), claim_of(recovery)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", claim])
    record(auditor.context(), recovery, host.host, state)
    assert [kind for kind, _ in auditor.of(claim)] == ["dead_claim"]
    told = auditor.summary_of(claim)
    assert told.startswith(f"provider {host.uuid} ({host.node}) bears {claim}")
    assert told.endswith(f"recovery {recovery}, which is {state}")


def test_the_claim_of_an_unknown_recovery_says_so(cloud, auditor, recovery):
    """Another StackStorm may be at work there."""
    claim = claim_of(recovery)
    cloud.set_traits(cloud.healthy_host().uuid, ["COMPUTE_NODE", claim])
    assert "no other StackStorm" in auditor.summary_of(claim)


def test_the_claim_of_an_open_recovery_is_its_own(cloud, auditor, recovery):
    """It is given back by that recovery."""
    host, claim = cloud.healthy_host(), claim_of(recovery)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", claim])
    record(auditor.context(), recovery, host.host, OPEN)
    assert auditor.of(claim) == []


def test_a_claim_on_no_provider_is_a_trait_to_be_forgotten(cloud, auditor, recovery):
    """Its provider was deleted."""
    claim = claim_of(recovery)
    cloud.placement.call("PUT", f"/traits/{claim}")
    assert auditor.of(claim) == [("dead_claim", f"{OSC} trait delete {claim}")]


def test_a_claim_on_two_providers_is_found_on_both(cloud, auditor, recovery):
    """A stale one and a new one; the trait itself goes with the last one, which the next audit shows."""
    hosts, claim = [cloud.healthy_host() for _ in range(2)], claim_of(recovery)
    for host in hosts:
        cloud.set_traits(host.uuid, ["COMPUTE_NODE", claim])
    ways = [way for _, way in auditor.of(claim)]
    assert [sum(host.uuid in way for way in ways) for host in hosts] == [1, 1]
    assert not any("trait delete" in way for way in ways)


def test_a_claim_that_was_just_given_back_is_no_finding(auditor, recovery):
    """Between the list of traits and the look at its providers, a recovery ended."""
    assert dead_claim_findings(auditor.context(), {claim_of(recovery): FINISHED}) == []


def test_what_to_type_takes_the_claim_alone(cloud, auditor, recovery, tmp_path):
    """All other traits stay, also one whose name only begins so; and where they cannot be listed, nothing goes."""
    host, claim = cloud.healthy_host(), claim_of(recovery)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", claim])
    ((_, way),) = auditor.of(claim)
    typed = type_it(way, tmp_path, f"echo COMPUTE_NODE; echo {claim}2; echo {claim}")
    assert typed == [
        f"--os-placement-api-version 1.6 resource provider trait list -f value {host.uuid}",
        f"--os-placement-api-version 1.6 resource provider trait set {host.uuid} --trait=COMPUTE_NODE --trait={claim}2",
        f"--os-placement-api-version 1.6 trait delete {claim}",
    ]
    assert len(type_it(way, tmp_path, "exit 1")) == 1


def type_it(words, folder, listing):
    """What a shell calls the openstack client with, whose list of traits is what these words say."""
    client, calls = folder / "openstack", folder / "calls"
    calls.write_text("")
    client.write_text(f'#!/bin/sh\necho "$*" >> {calls}\ncase "$*" in *"trait list"*) {listing};; esac\n')
    client.chmod(0o755)
    subprocess.run(["sh", "-c", words], env={"PATH": f"{folder}:/usr/bin:/bin"}, check=False)
    return calls.read_text().splitlines()


def test_each_dead_claim_is_one_request_more(cloud, auditor, recovery):
    """The list of claims itself is one."""
    before = auditor.requests()
    cloud.set_traits(cloud.healthy_host().uuid, ["COMPUTE_NODE", claim_of(recovery)])
    assert auditor.requests() - before == {"placement /resource_providers": 1}
