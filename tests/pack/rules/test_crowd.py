"""Many triggers in one moment, each a whole run of recover_host in processes of its own, as StackStorm runs them."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from lab.stackstorm import matching, runner, triggers
from lab.stackstorm.pool import Pool
from lab.stackstorm.services import SensorService
from placement_recovery.cloud.model import LOCK_PREFIX
from placement_recovery.detection.payload import FROM_LOG, PROVIDER_CREATION_FAILED, ProviderCreationFailed
from testkit.placement import ONE_SERVER

# So many take a minute on two cores. `make test-crowd` runs fifty and ten.
TRIGGERS = int(os.environ.get("PLACEMENT_RECOVERY_TRIGGERS", "10"))
HOSTS = int(os.environ.get("PLACEMENT_RECOVERY_HOSTS", "3"))
ACTIONS = 8  # that StackStorm's action runner has under way at once
RUN_SECONDS = 1800.0


@pytest.fixture
def rush(cloud, datastore):
    """Dispatch a trigger for each of these hosts, and run what the rule starts for them, all at once."""

    def run(hosts):
        sensors = SensorService("placement_recovery", "LogSensor")
        for host in hosts:
            sensors.dispatch(PROVIDER_CREATION_FAILED, payload(host))
        config = cloud.config(store="datastore", automation="when_safe")
        with Pool(ACTIONS) as pool, ExitStack() as running:
            options = {"config": config, "datastore": datastore, "pool": pool}
            started = [
                running.enter_context(runner.start(rule.action, rule.parameters, trigger=one.payload, **options))
                for one, rule in matched(triggers.read(datastore))
            ]
            return [one.wait(RUN_SECONDS) for one in started]

    return run


def payload(host):
    """As the sensor dispatches it."""
    return ProviderCreationFailed(source=FROM_LOG, host=host, node=host).as_dict()


def matched(instances):
    """Each trigger with the rule that it meets; the same payload meets the same."""
    rules = {}
    for one in instances:
        host = one.payload["host"]
        if host not in rules:
            (rules[host],) = matching.match(one.trigger, one.payload)
        yield one, rules[host]


def test_triggers_at_once_for_one_host_are_one_recovery(cloud, rush):
    """Ten here, fifty by `make test-crowd`: all but one say so, and nothing is lost."""
    stale, mark = cloud.stale_host(2), cloud.placement_mark()
    with cloud.nova_compute(stale.host):
        ended = rush([stale.host] * TRIGGERS)
    (recovery,) = (one.output for one in ended if one.output["state"] == "finished")
    others = [
        (one.status, one.output["state"], one.output["summary"]) for one in ended if one.output is not recovery
    ]
    assert len(others) == TRIGGERS - 1
    assert [one for one in others if not says_so(*one, recovery["recovery_id"])] == []
    assert [one.path for one in deletes(cloud, mark)] == [f"/resource_providers/{stale.stale_uuid}"]
    check_recovered(cloud, stale)


@pytest.mark.long
def test_hosts_at_once_are_as_many_recoveries(cloud, rush):
    """Three here, ten by `make test-crowd`, side by side."""
    stale = [cloud.stale_host(2) for _ in range(HOSTS)]
    with ExitStack() as computes:
        for one in stale:
            computes.enter_context(cloud.nova_compute(one.host))
        ended = rush([one.host for one in stale])
    assert [(one.status, one.output["state"]) for one in ended] == [("succeeded", "finished")] * HOSTS
    for one in stale:
        check_recovered(cloud, one)


def deletes(cloud, mark):
    """The providers that were deleted, or were to be."""
    writes = cloud.placement_writes_since(mark)
    return [one for one in writes if one.method == "DELETE" and one.path.startswith("/resource_providers/")]


def says_so(status, state, summary, recovery_id):
    """Whether a run that was not needed succeeded and tells why: this recovery, or a faster start, or its good end."""
    if (status, state) not in (("succeeded", "healthy"), ("succeeded", "skipped")):
        return False
    told = (recovery_id, "it is under way", "was faster", "the cooldown is", "is healthy")
    return any(words in summary for words in told)


def check_recovered(cloud, stale):
    """Each server holds what it held, on the new provider, which nobody locks; the service is enabled."""
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert [one for one in cloud.traits(stale.compute_uuid) if one.startswith(LOCK_PREFIX)] == []
    assert cloud.service(stale.host)["disabled"] is False
