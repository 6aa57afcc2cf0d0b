"""What recoveries have left is found in the store and at the compute services."""

from __future__ import annotations

from placement_recovery.audit.remnants import remnant_findings
from placement_recovery.records.record import FINISHED, OPEN
from placement_recovery.recovery.service import disabled_reason, servers_left_reason
from testkit.auditor import record
from testkit.cloud import new_name

RESUME = "st2 run placement_recovery.resume_recovery recovery_id="


def test_an_unfinished_recovery_is_found(cloud, auditor):
    """With what goes on with it; the stale provider's way is the same, and its service is meant to be disabled."""
    host = cloud.stale_host(1, disabled=True, disabled_reason=disabled_reason("abcdef0123"))
    record(auditor.context(), "abcdef0123", host.host, OPEN)
    way = f"{RESUME}abcdef0123"
    assert auditor.of(host.host) == [("unfinished_recovery", way), ("stale_provider", way)]


def test_a_service_that_a_finished_recovery_left_disabled_is_found(cloud, auditor):
    """It was to be given back, and was not."""
    host = cloud.healthy_host(disabled=True, disabled_reason=disabled_reason("abcdef0456"))
    record(auditor.context(), "abcdef0456", host.host, FINISHED)
    way = f"openstack compute service set --enable {host.host} nova-compute"
    assert auditor.of(host.host) == [("disabled_service", way)]
    assert "by recovery abcdef0456, which is finished" in auditor.summary_of("abcdef0456")


def test_a_service_that_an_unknown_recovery_left_disabled_says_so(cloud, auditor):
    """Another StackStorm may be at work there."""
    recovery = "abcdef0789"
    cloud.healthy_host(disabled=True, disabled_reason=disabled_reason(recovery))
    assert "no other StackStorm" in auditor.summary_of(recovery)


def test_a_service_that_somebody_else_disabled_is_theirs(cloud, auditor):
    """Also if the reason quotes ours."""
    hosts = [
        cloud.healthy_host(disabled=True, disabled_reason=reason).host
        for reason in ("maintenance", f"was: {disabled_reason('abcdef0aaa')}", "placement_recovery abcdef0aaa: on hold")
    ]
    assert auditor.of(*hosts) == []


def test_an_unfinished_recovery_is_found_without_its_host(auditor):
    """Somebody may have deleted the host since."""
    host = new_name()
    record(auditor.context(), "abcdef0bbb", host, OPEN)
    assert auditor.of(host) == [("unfinished_recovery", f"{RESUME}abcdef0bbb")]


def test_a_service_that_is_being_enabled_is_not_left_behind(cloud, auditor):
    """The services are read before the records; the recovery ends in between."""
    host = cloud.healthy_host(disabled=True, disabled_reason=disabled_reason("abcdef0ddd"))
    context = auditor.context()
    record(context, "abcdef0ddd", host.host, FINISHED)
    before = context.nova.services()
    cloud.set_service(host.host, disabled=False, disabled_reason=None)
    assert [one for one in remnant_findings(context, before) if one.subject == "abcdef0ddd"] == []


def test_a_service_that_a_discard_left_disabled_says_why(cloud, auditor):
    """Servers ran there without allocations; who enables it has to look for them."""
    host = cloud.healthy_host(disabled=True, disabled_reason=servers_left_reason("abcdef0eee"))
    record(auditor.context(), "abcdef0eee", host.host, FINISHED)
    assert "see that none does before you enable it" in auditor.summary_of("abcdef0eee")
