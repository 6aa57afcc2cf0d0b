"""Locks whose recovery will not give them back are found, with what takes them away and nothing else."""

from __future__ import annotations

import subprocess

import pytest

from placement_recovery.audit.locks import orphaned_lock_findings
from placement_recovery.records.record import ABANDONED, FINISHED, OPEN, ROLLED_BACK
from testkit.auditor import lock_of, record

OSC = "openstack --os-placement-api-version 1.6"


@pytest.mark.parametrize("state", [FINISHED, ABANDONED, ROLLED_BACK])
def test_the_claim_of_a_recovery_that_has_ended_is_found(cloud, auditor, recovery, state):
    """On which provider, and what became of its recovery."""
    host, lock = cloud.healthy_host(), lock_of(recovery)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", lock])
    record(auditor.context(), recovery, host.host, state)
    assert [kind for kind, _ in auditor.of(lock)] == ["orphaned_lock"]
    told = auditor.summary_of(lock)
    assert told.startswith(f"provider {host.uuid} ({host.node}) bears {lock}")
    assert told.endswith(f"recovery {recovery}, which is {state}")


def test_the_claim_of_an_unknown_recovery_says_so(cloud, auditor, recovery):
    """Another StackStorm may be at work there."""
    lock = lock_of(recovery)
    cloud.set_traits(cloud.healthy_host().uuid, ["COMPUTE_NODE", lock])
    assert "no other StackStorm" in auditor.summary_of(lock)


def test_the_claim_of_an_open_recovery_is_its_own(cloud, auditor, recovery):
    """It is given back by that recovery."""
    host, lock = cloud.healthy_host(), lock_of(recovery)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", lock])
    record(auditor.context(), recovery, host.host, OPEN)
    assert auditor.of(lock) == []


def test_a_claim_on_no_provider_is_a_trait_to_be_forgotten(cloud, auditor, recovery):
    """Its provider was deleted."""
    lock = lock_of(recovery)
    cloud.placement.call("PUT", f"/traits/{lock}")
    assert auditor.of(lock) == [("orphaned_lock", f"{OSC} trait delete {lock}")]


def test_a_claim_on_two_providers_is_found_on_both(cloud, auditor, recovery):
    """A stale one and a new one; the trait itself goes with the last one, which the next audit shows."""
    hosts, lock = [cloud.healthy_host() for _ in range(2)], lock_of(recovery)
    for host in hosts:
        cloud.set_traits(host.uuid, ["COMPUTE_NODE", lock])
    ways = [way for _, way in auditor.of(lock)]
    assert [sum(host.uuid in way for way in ways) for host in hosts] == [1, 1]
    assert not any("trait delete" in way for way in ways)


def test_a_claim_that_was_just_given_back_is_no_finding(auditor, recovery):
    """Between the list of traits and the look at its providers, a recovery ended."""
    assert orphaned_lock_findings(auditor.context(), {lock_of(recovery): FINISHED}) == []


def test_what_to_type_takes_the_claim_alone(cloud, auditor, recovery, tmp_path):
    """All other traits stay, also one whose name only begins so; and where they cannot be listed, nothing goes."""
    host, lock = cloud.healthy_host(), lock_of(recovery)
    cloud.set_traits(host.uuid, ["COMPUTE_NODE", lock])
    ((_, way),) = auditor.of(lock)
    typed = type_it(way, tmp_path, f"echo COMPUTE_NODE; echo {lock}2; echo {lock}")
    assert typed == [
        f"--os-placement-api-version 1.6 resource provider trait list -f value {host.uuid}",
        f"--os-placement-api-version 1.6 resource provider trait set {host.uuid} --trait=COMPUTE_NODE --trait={lock}2",
        f"--os-placement-api-version 1.6 trait delete {lock}",
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


def test_each_orphaned_lock_is_one_request_more(cloud, auditor, recovery):
    """The list of locks itself is one."""
    before = auditor.requests()
    cloud.set_traits(cloud.healthy_host().uuid, ["COMPUTE_NODE", lock_of(recovery)])
    assert auditor.requests() - before == {"placement /resource_providers": 1}
