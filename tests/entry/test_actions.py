"""Each action alone, as from `st2 run`: what it returns, and how it fails."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Dict

import pytest

from placement_recovery.recovery.methods import SAVE_ALLOCATIONS, SEQUENCES
from placement_recovery.recovery.service import disabled_reason
from testkit.actions import call
from testkit.placement import ONE_SERVER

WRITERS = [
    "lock_provider", "close_recovery", "delete_allocations", "delete_resource_provider", "create_resource_provider",
    "set_allocations", "verify_recovery", "wait_for_resource_provider", "restart_nova_compute", "recreate_children",
]


def done(answer: Any) -> Dict[str, Any]:
    """The result of an action that ended well: the summary comes first, and all of it is JSON."""
    ok, result = answer
    assert ok, result
    assert next(iter(result)) == "summary"
    assert result["summary"]
    assert json.dumps(result)
    return result


def failed(answer: Any) -> Dict[str, Any]:
    """The result of an action that failed: a line that says why."""
    ok, result = answer
    assert not ok
    assert next(iter(result)) == "summary"
    assert result["summary"]
    assert "\n" not in result["summary"]
    assert result["state"] == "failed"
    assert json.dumps(result)
    return result


def test_a_recovery_by_hand_step_by_step(cloud, config):
    """Every step's action with the id and the attempt that the first one gave; the same shape of result each time."""
    stale = cloud.stale_host(servers=2)
    planned = done(call("plan_recovery", config, host=stale.host))
    saved = done(call("save_allocations", config, host=stale.host, digest=planned["digest"], user="bo"))
    about = {"recovery_id": saved["recovery_id"], "attempt": saved["attempt"]}
    with cloud.nova_compute(stale.host, interval=0.1):
        for step in SEQUENCES["transplant"]:
            if step is not SAVE_ALLOCATIONS:
                result = done(call(step.action, config, **about, **step.parameters))
                assert list(result) == ["summary", "recovery_id", "state", "attempt"]
                assert result["recovery_id"] == saved["recovery_id"]
    assert result["state"] == "finished"
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    shown = done(call("show_recoveries", config, recovery_id=saved["recovery_id"]))
    assert (shown["started_by"], shown["state"], shown["next"]) == ("bo", "finished", "")


def test_a_plan_is_shown_and_a_refusal_is_an_answer(cloud, config):
    """Ready, healthy, refused: none is a failure of the action."""
    stale, healthy = cloud.stale_host(servers=1), cloud.healthy_host()
    ready = done(call("plan_recovery", config, host=stale.host))
    assert (ready["state"], ready["finding"], len(ready["digest"])) == ("ready", "stale_provider", 8)
    assert ready["next"] == f"st2 run placement_recovery.recover_host host={stale.host}"
    assert stale.servers[0] in ready["text"]
    assert done(call("plan_recovery", config, host=healthy.host))["state"] == "healthy"
    cloud.set_service(stale.host, forced_down=True)
    refused = done(call("plan_recovery", config, host=stale.host))
    assert refused["state"] == "refused"
    assert "is forced down: the host may be fenced" in refused["summary"]


@pytest.mark.parametrize("name", WRITERS)
def test_an_id_that_nobody_knows_is_a_failure_that_bears_it(config, name):
    """With what lists those there are."""
    result = failed(call(name, config, recovery_id="0123456789"))
    assert (result["recovery_id"], result["error"]) == ("0123456789", "RecordNotFound")
    assert "show_recoveries lists all" in result["summary"]


@pytest.mark.parametrize("name", WRITERS)
def test_what_cannot_be_an_id_is_a_failure(config, name):
    """A path, a template, nothing at all."""
    for text in ("../../etc", "{{ x }}", ""):
        assert failed(call(name, config, recovery_id=text))["error"] == "InvalidInput"


def test_children_are_shown_before_they_are_recreated(cloud, config):
    """With what to type. Before the allocations are moved, the action says that this comes first."""
    stale = cloud.stale_host(servers=1)
    child = cloud.provider(f"{stale.node}_pgpu0", parent=stale.stale_uuid, inventories={"VGPU": 4}, traits=())
    plan = done(call("plan_recovery", config, host=stale.host, method="transplant"))
    saved = done(call("save_allocations", config, host=stale.host, method="transplant", digest=plan["digest"]))
    recovery_id = saved["recovery_id"]
    for step in [one.name for one in SEQUENCES["transplant"]][1:6]:
        if step == "move_allocations":
            early = failed(call("recreate_children", config, recovery_id=recovery_id))
            assert "has not moved its allocations yet" in early["summary"]
        name = "set_compute_service" if step == "disable_compute_service" else step
        more = {"enabled": False} if name != step else {}
        done(call(name, config, recovery_id=recovery_id, **more))
    shown = done(call("recreate_children", config, recovery_id=recovery_id))
    assert (shown["state"], shown["children"]) == ("needs_approval", [{"name": f"{stale.node}_pgpu0", "uuid": child}])
    assert shown["next"].endswith(f"recreate_children recovery_id={recovery_id} approve={shown['digest']}")


def test_the_save_of_another_recovery_than_the_one_meant_is_refused(cloud, config):
    """A host or a method that does not go with the id was mistyped: nothing is done to either."""
    stale, other = cloud.stale_host(servers=1), cloud.stale_host(servers=1)
    digest = done(call("plan_recovery", config, host=stale.host))["digest"]
    recovery_id = done(call("save_allocations", config, host=stale.host, digest=digest))["recovery_id"]
    for wrong in ({"host": other.host}, {"host": stale.host, "method": "discard"}):
        told = failed(call("save_allocations", config, recovery_id=recovery_id, **wrong))
        assert told["error"] == "InvalidInput"
        assert f"recovery {recovery_id} belongs to {stale.host} by transplant, not of" in told["summary"]
    again = done(call("save_allocations", config, host=stale.host, recovery_id=recovery_id))
    assert again["summary"] == f"recovery {recovery_id} has its 1 consumers saved already"


def test_a_save_without_the_right_digest_opens_nothing(cloud, config):
    """It says what to type."""
    stale = cloud.stale_host(servers=1)
    for digest in ("", "000000"):
        told = failed(call("save_allocations", config, host=stale.host, digest=digest))
        assert told["error"] == "PlanChanged"
        assert f"plan_recovery host={stale.host}" in told["summary"]
    assert done(call("show_recoveries", config))["recoveries"] == []


def test_restart_needs_a_recovery_or_a_host(cloud, config):
    """One of the two."""
    for both in ({}, {"recovery_id": "0123456789", "host": "compute-0"}):
        assert "give either recovery_id or host" in failed(call("restart_nova_compute", config, **both))["summary"]
    host = cloud.healthy_host().host
    assert "restart_how is never" in failed(call("restart_nova_compute", config, host=host))["summary"]
    command = {"restart_how": "command", "restart_where": "local", "restart_command": ["true"]}
    assert done(call("restart_nova_compute", {**config, **command}, host=host))["state"] == "restarted"


def test_the_service_is_switched_for_a_recovery_only(cloud, config):
    """Off and on again while nothing was taken away."""
    stale = cloud.stale_host(servers=1)
    digest = done(call("plan_recovery", config, host=stale.host))["digest"]
    recovery_id = done(call("save_allocations", config, host=stale.host, digest=digest))["recovery_id"]
    done(call("lock_provider", config, recovery_id=recovery_id))
    done(call("set_compute_service", config, recovery_id=recovery_id, enabled=False))
    assert cloud.service(stale.host)["disabled"]
    done(call("set_compute_service", config, recovery_id=recovery_id, enabled=True))
    assert not cloud.service(stale.host)["disabled"]
    told = failed(call("replace_resource_provider", config, recovery_id=recovery_id))
    assert "somebody enabled the compute service" in told["summary"]


def test_providers_allocations_and_servers_are_shown(cloud, config):
    """By name or UUID, as tables and as values."""
    host = cloud.healthy_host(servers=2)
    named = done(call("list_resource_providers", config, name=host.node))
    assert [one["uuid"] for one in named["resource_providers"]] == [host.uuid]
    assert named["resource_providers"][0]["inventories"]["VCPU"]["total"] == 16
    for provider in (host.node, host.uuid):
        held = done(call("show_allocations", config, provider=provider))
        assert {one["uuid"] for one in held["consumers"]} == set(host.servers)
    one = done(call("show_allocations", config, consumer=host.servers[0]))
    assert one["consumers"][0]["allocations"] == {host.uuid: ONE_SERVER}
    assert {one["uuid"] for one in done(call("list_servers", config, host=host.host))["servers"]} == set(host.servers)
    assert failed(call("show_allocations", config))["error"] == "InvalidInput"
    assert failed(call("show_allocations", config, provider="no-such-provider"))["summary"]


def test_recoveries_are_shown_while_the_cloud_is_away(cloud, config):
    """Whoever looks what stands may have lost the cloud, or its credentials."""
    stale = cloud.stale_host(servers=1)
    digest = done(call("plan_recovery", config, host=stale.host))["digest"]
    recovery_id = done(call("save_allocations", config, host=stale.host, digest=digest))["recovery_id"]
    away = {**config, "clouds_file": "/nowhere/clouds.yaml"}
    shown = done(call("show_recoveries", away))
    assert [row["id"] for row in shown["recoveries"]] == [recovery_id]
    assert f"resume_recovery recovery_id={recovery_id}" in shown["table"]
    assert "disabled services and locks were not looked for: clouds_file /nowhere/clouds.yaml" in shown["summary"]
    assert done(call("show_recoveries", away, host=stale.host, unfinished=True))["recovery_id"] == recovery_id
    assert failed(call("show_recoveries", away, host="other", unfinished=True))["error"] == "RecordNotFound"
    assert failed(call("lock_provider", away, recovery_id=recovery_id))["error"] == "ConfigurationError"


def test_what_a_recovery_left_in_the_cloud_is_shown_with_what_to_type(cloud, config):
    """A service that stayed disabled and a lock that stayed put, right behind what is unfinished."""
    stale, lock = cloud.stale_host(servers=1), "CUSTOM_PLACEMENT_RECOVERY_FEDCBA9876_01234567"
    digest = done(call("plan_recovery", config, host=stale.host))["digest"]
    recovery_id = done(call("save_allocations", config, host=stale.host, digest=digest))["recovery_id"]
    reason = disabled_reason("fedcba9876")
    left = cloud.healthy_host(disabled=True, disabled_reason=reason, traits=["COMPUTE_NODE", lock])
    shown = done(call("show_recoveries", config))
    assert [row["id"] for row in shown["recoveries"]] == [recovery_id]
    ways = {row["state"]: row["next"] for row in shown["left_behind"] if row["host"] == left.host}
    assert ways["service that a recovery left disabled"].endswith(f"--enable {left.host} nova-compute")
    assert lock in ways["orphaned lock"]
    lines = shown["table"].splitlines()
    assert recovery_id in lines[1]
    assert any(left.host in line for line in lines[2:])
    assert left.host in shown["summary"]
    assert done(call("show_recoveries", config, host=stale.host))["left_behind"] == []
    cloud.set_traits(left.uuid, ["COMPUTE_NODE"])


@pytest.mark.parametrize(
    "wrong",
    [{"restart_how": "magic"}, {"placement_microversion": "1.10"}, {"no_such_option": 1}, {"cloud": "other"}],
    ids=str,
)
def test_a_configuration_that_cannot_be_used_is_told(config, wrong):
    """By each action, in a line that names the option."""
    told = failed(call("plan_recovery", {**config, **wrong}, host="compute-0"))
    assert told["error"] == "ConfigurationError"
    assert next(iter(wrong)) in told["summary"] or "other" in told["summary"]


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "a b", "$(reboot)", "../x", "{{ x }}", "<% x %>", "a\nb"])
def test_what_cannot_be_a_host_is_refused(config, host):
    """Before anything is asked of Nova."""
    for name, more in (("plan_recovery", {}), ("save_allocations", {"digest": "0123456789ab"})):
        assert failed(call(name, config, host=host, **more))["error"] == "InvalidInput"


def test_a_store_that_cannot_be_used_is_told(cloud, config, tmp_path):
    """A folder that is a file."""
    (tmp_path / "records").write_text("")
    broken = {**config, "store": "files", "store_folder": str(tmp_path / "records")}
    stale = cloud.stale_host(servers=1)
    for name, parameters in (("plan_recovery", {"host": stale.host}), ("show_recoveries", {})):
        assert str(tmp_path / "records") in failed(call(name, broken, **parameters))["summary"]


def test_no_password_is_in_any_result_or_record(cloud, config, datastore, tmp_path, capfd):
    """Nor in what is printed: whether the password is right, wrong, or in a clouds.yaml that is broken."""
    clouds = json.loads(Path(config["clouds_file"]).read_text())["clouds"]["lab"]
    broken = tmp_path / "clouds.yaml"
    broken.write_text("clouds:\n  lab:\n    auth: {password: hunter2-broken\n   username: [hunter2-broken\n")
    wrong = cloud.clouds_yaml(password="hunter2-wrong")
    stale = cloud.stale_host(servers=1)
    results = [call("plan_recovery", {**config, "clouds_file": one}, host=stale.host) for one in (str(broken), wrong)]
    assert [ok for ok, _ in results] == [False, False]
    planned = call("plan_recovery", config, host=stale.host)
    results += [planned, call("save_allocations", config, host=stale.host, digest=planned[1]["digest"])]
    results += [call("show_recoveries", config, recovery_id=results[-1][1]["recovery_id"])]
    with closing(sqlite3.connect(datastore)) as pairs:
        stored = [value for (value,) in pairs.execute("SELECT value FROM pairs")]
    assert stored
    said = json.dumps(results) + "".join(capfd.readouterr()) + "".join(stored)
    for secret in (clouds["auth"]["password"], "hunter2-wrong", "hunter2-broken"):
        assert secret not in said


@pytest.mark.parametrize(
    ("action", "given", "told"),
    [
        ("show_allocations", {"consumer": "nonsense"}, "consumer must be a UUID, not 'nonsense'"),
        ("show_allocations", {"provider": "nope"}, "there is no provider 'nope', by name or by UUID"),
        ("list_servers", {"host": "nope"}, "nova lists no compute service of host 'nope'"),
        ("show_recoveries", {"recovery_id": "nonsense"}, "there is none with this id, or its record was removed"),
    ],
)
def test_what_is_not_there_is_no_empty_success(config, action, given, told):
    """Somebody mistyped it."""
    assert told in failed(call(action, config, **given))["summary"]


def test_what_is_not_read_does_not_look_empty(cloud, config):
    """Without a filter the list tells of no inventories, traits and aggregates."""
    host = cloud.healthy_host()
    listed = done(call("list_resource_providers", config))
    (found,) = [one for one in listed["resource_providers"] if one["uuid"] == host.uuid]
    assert set(found) == {"uuid", "name", "generation", "parent_uuid", "root_uuid"}
    (whole,) = done(call("list_resource_providers", config, uuid=host.uuid))["resource_providers"]
    assert whole["inventories"]


def test_the_unfinished_recoveries_are_listed(cloud, config):
    """Each with its last sign of life; one recovery is one."""
    host = cloud.stale_host(servers=1).host
    planned = done(call("plan_recovery", config, host=host))
    saved = done(call("save_allocations", config, host=host, digest=planned["digest"]))
    shown = done(call("show_recoveries", config, unfinished=True))
    assert saved["recovery_id"] in [one["id"] for one in shown["recoveries"]]
    one = done(call("show_recoveries", config, host=host))
    assert one["summary"].startswith(f"1 recovery of {host}, 1 unfinished")
    assert one["recoveries"][0]["last_sign"].endswith("Z")
    steps = done(call("show_recoveries", config, recovery_id=saved["recovery_id"]))["steps"]
    assert [step["name"] for step in steps] == ["save_allocations"]
