"""The action: a bounded report, requests that do not grow with the hosts, and triggers only where they are of use."""

from __future__ import annotations

import pytest

from lab.stackstorm.triggers import Webhooks
from placement_recovery.audit import report as reporting
from placement_recovery.detection.payload import PROVIDER_CREATION_FAILED
from placement_recovery.records.record import OPEN
from placement_recovery.triggers import check_payload
from testkit.auditor import lock_of, record


def mine(auditor, host):
    """The payloads that went out for this host."""
    return [one for one in auditor.dispatched() if one["host"] == host]


@pytest.mark.long
def test_requests_do_not_grow_with_the_hosts(cloud, auditor):
    """With 57 hosts more, and 57 servers on them, the same requests; one more stale provider costs its proof."""
    cloud.healthy_host(1)
    before = auditor.requests()
    for _ in range(57):
        cloud.healthy_host(1)
    assert auditor.requests() == before
    cloud.stale_host(0)
    assert sum((auditor.requests() - before).values()) < 15


def test_deep_makes_one_request_a_provider(cloud, auditor):
    """And not one a consumer, where nothing is amiss."""
    cloud.healthy_host(5)
    before = auditor.requests(deep=True)
    for _ in range(5):
        cloud.healthy_host(5)
    more = auditor.requests(deep=True) - before
    assert more == {"placement /resource_providers/*/allocations": 5}


def test_the_trigger_goes_out_for_a_proven_stale_provider(cloud, auditor):
    """Its payload meets the schema, and names the audit as its source."""
    stale, healthy = cloud.stale_host(1), cloud.healthy_host(1)
    result = auditor.run(dispatch=True)
    (payload,) = mine(auditor, stale.host)
    check_payload(PROVIDER_CREATION_FAILED, payload)
    assert payload["source"] == "audit"
    assert payload["compute_node_uuid"] == stale.compute_uuid
    assert stale.host in result["dispatched"]
    assert healthy.host not in result["dispatched"]
    assert result["summary"].endswith(f"; {len(result['dispatched'])} trigger(s) dispatched")


def test_a_trigger_that_is_not_taken_keeps_no_other_back(cloud, auditor, monkeypatch):
    """All are tried; then the run fails, with its whole report, and says for which host, and why."""
    taken, refused = cloud.stale_host(1), cloud.stale_host(1)
    let_all_go = Webhooks.post_generic_webhook

    def post(webhooks, trigger, payload, trace_tag):
        if payload["host"] == refused.host:
            raise ConnectionError("Connection refused")
        return let_all_go(webhooks, trigger, payload, trace_tag)

    monkeypatch.setattr(Webhooks, "post_generic_webhook", post)
    ok, result = auditor.try_run(dispatch=True)
    assert (ok, result["state"], result["error"]) == (False, "failed", "DispatchFailed")
    assert [one["host"] for one in auditor.dispatched()] == result["dispatched"]
    assert taken.host in result["dispatched"]
    assert list(result["not_dispatched"]) == [refused.host]
    assert "Connection refused" in result["not_dispatched"][refused.host]
    failure = f". 1 trigger(s) could not be dispatched: {refused.host}: StackStorm's API did not accept"
    assert failure in result["summary"]
    assert refused.host in result["table"]


def test_a_report_dispatches_nothing(cloud, auditor):
    """Only the timer's rule asks for it."""
    cloud.stale_host(1)
    assert auditor.run()["dispatched"] == []
    assert auditor.dispatched() == []


def test_no_trigger_for_an_unfinished_recovery(cloud, auditor):
    """It is to be resumed, by a person."""
    host = cloud.stale_host(1).host
    record(auditor.context(), "abcdef0ccc", host, OPEN)
    auditor.run(dispatch=True)
    assert mine(auditor, host) == []


def test_no_trigger_for_a_claimed_provider(cloud, auditor, recovery):
    """Whoever locks it, an automatic recovery would only be refused."""
    stale = cloud.stale_host(1)
    cloud.set_traits(stale.stale_uuid, ["COMPUTE_NODE", lock_of(recovery)])
    auditor.run(dispatch=True)
    assert mine(auditor, stale.host) == []


def test_no_trigger_where_automation_is_off_or_the_host_is_not_allowed(cloud, auditor):
    """recover_host would only refuse it, every quarter of an hour."""
    host = cloud.stale_host(1).host
    auditor.run(dispatch=True, automation="disabled")
    auditor.run(dispatch=True, automation_hosts=["compute-.*"])
    assert auditor.dispatched() == []
    auditor.run(dispatch=True, automation_hosts=[host])
    assert [one["host"] for one in auditor.dispatched()] == [host]


def test_a_report_is_bounded(cloud, auditor, monkeypatch):
    """The summary counts all; data and table carry so many, and say how many they leave out."""
    monkeypatch.setattr(reporting, "MOST_FINDINGS", 1)
    for _ in range(2):
        cloud.stale_host(0)
    result = auditor.run()
    assert len(result["findings"]) == 1
    assert result["left_out"] == sum(result["counts"].values()) - 1 > 0
    assert result["table"].splitlines()[-1] == f"and {result['left_out']} more"
    assert result["state"] == "findings"
