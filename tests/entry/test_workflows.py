"""Whole workflows through the runner: their routes, their failures, and how to go on after them."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

import pytest

from testkit.driving import step_names
from testkit.looks import disabled_by, enabled, lock_traits
from testkit.placement import ONE_SERVER

# lab's own modules are imported where they are used: they ask for a newer Python than the pack's tests without a lab.

PACK = "placement_recovery"


@pytest.fixture
def run(cloud, tmp_path):
    """Runs a workflow or an action of the pack to its end, on this test's datastore."""
    return lambda action, config=None, **parameters: begin(cloud, tmp_path, action, config, **parameters).wait(240)


@pytest.fixture
def start(cloud, tmp_path):
    """The same, without waiting for its end."""
    return lambda action, config=None, **parameters: begin(cloud, tmp_path, action, config, **parameters)


def begin(cloud, folder, action, config=None, on_event=lambda event: None, **parameters):
    """Start it."""
    from lab.stackstorm import runner

    options = cloud.config(**{"store": "datastore", "acceptance_wait": 60, "late_write_wait": 1, **(config or {})})
    datastore = folder / "datastore.sqlite"
    return runner.start(f"{PACK}.{action}", parameters, config=options, datastore=datastore, on_event=on_event)


def names(execution, workflow="transplant_allocations"):
    """The tasks of a workflow in the order of their starts."""
    return [task.name for task in execution.tasks if len(task.path) > 1 and task.path[-2] == workflow]


def test_a_host_is_recovered_from_its_plan_to_its_end(cloud, start):
    """Ready: every step of the method once, in its order; the password is in no event and no process's arguments."""
    password = json.loads(Path(cloud.lab.clouds_yaml).read_text())["clouds"]["lab"]["auth"]["password"]
    stale, arguments = cloud.stale_host(servers=3), []
    with cloud.nova_compute(stale.host, interval=0.1), start(
        "recover_host", on_event=lambda event: arguments.append(command_lines()), host=stale.host
    ) as running:
        execution = running.wait(240)
    assert execution.status == "succeeded"
    assert execution.output["state"] == "finished"
    assert execution.output["recovery_id"] in execution.output["summary"]
    assert names(execution) == list(step_names("transplant"))
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert (cloud.service(stale.host), lock_traits(cloud, execution.output["recovery_id"])) == (enabled(), [])
    said = json.dumps(running.events).replace("\\", "")
    assert f'"{password}"' not in said
    assert f"password: {password}" not in said
    assert len(arguments) > len(step_names("transplant"))
    ours = [one for lines in arguments for one in lines if "placement_recovery" in one]
    assert not [one for one in ours if password in one.split("\0")]


def command_lines():
    """The arguments of all processes in this moment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace"))
        except OSError:  # it has ended
            continue
    return found


def test_discard_asks_first_shows_its_digest_and_runs_with_it(cloud, run):
    """Succeeded, and nothing done, until somebody types the words; another digest shows the plan again."""
    stale = cloud.stale_host(servers=2)
    marks = cloud.placement_mark(), cloud.nova_mark()
    asked = run("recover_host", host=stale.host, method="discard")
    assert (asked.status, asked.output["state"]) == ("succeeded", "needs_approval")
    digest = asked.output["digest"]
    words = f"st2 run {PACK}.recover_host host={stale.host} method=discard approve={digest}"
    assert asked.output["next"] == words
    wrong = run("recover_host", host=stale.host, method="discard", approve="0" * 8)
    assert (wrong.status, wrong.output["state"], wrong.output["next"]) == ("succeeded", "needs_approval", words)
    assert "the digest 00000000 is not this plan's" in wrong.output["summary"]
    dry = run("recover_host", host=stale.host, method="discard", approve=digest, dry_run=True)
    assert (dry.status, dry.output["state"], len(dry.tasks)) == ("succeeded", "ready", 2)
    assert cloud.placement_writes_since(marks[0]) == cloud.nova_writes_since(marks[1]) == []
    with cloud.nova_compute(stale.host, interval=0.1):
        approved = run("recover_host", host=stale.host, method="discard", approve=digest)
    assert (approved.status, approved.output["state"]) == ("succeeded", "finished")
    assert names(approved, "discard_allocations") == list(step_names("discard"))
    assert [cloud.allocations(server) for server in stale.servers] == [{}, {}]


def test_a_healthy_host_succeeds_and_a_refused_one_fails_with_the_reason(cloud, run):
    """Neither writes anything."""
    healthy, stale = cloud.healthy_host(), cloud.stale_host(servers=1, forced_down=True)
    marks = cloud.placement_mark(), cloud.nova_mark()
    well = run("recover_host", host=healthy.host)
    assert (well.status, well.output["state"]) == ("succeeded", "healthy")
    refused = run("recover_host", host=stale.host)
    assert (refused.status, refused.output["state"]) == ("failed", "refused")
    assert "is forced down: the host may be fenced" in refused.output["summary"]
    assert cloud.placement_writes_since(marks[0]) == cloud.nova_writes_since(marks[1]) == []


def test_a_plan_that_cannot_be_made_fails_with_the_reason(cloud, run):
    """Placement refuses the credentials."""
    execution = run("recover_host", {"clouds_file": cloud.clouds_yaml(user="demo")}, host=cloud.healthy_host().host)
    assert (execution.status, execution.output["state"]) == ("failed", "failed")
    assert "needs the admin role" in execution.output["summary"]


@pytest.mark.long
def test_a_step_that_fails_ends_the_workflow_failed_and_resuming_ends_well(cloud, run):
    """Which step, what is saved under which id, what to type; then by the id, again, and by the host."""
    stale = cloud.stale_host(servers=2)
    execution = run("recover_host", {"acceptance_wait": 1}, host=stale.host)
    assert (execution.status, execution.output["state"]) == ("failed", "failed")
    recovery_id, told = execution.output["recovery_id"], execution.output["summary"]
    assert told.startswith("wait_for_nova_compute: after 1 s nova-compute on ")
    way = f"st2 run {PACK}.resume_recovery recovery_id={recovery_id}"
    assert f"All that was saved stands in recovery {recovery_id}; go on with '{way}'" in told
    assert execution.output["next"] == way
    assert names(execution)[-2:] == ["wait_for_nova_compute", "show_failure"]
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    again = run("recover_host", host=stale.host)
    assert again.status == "failed"
    with cloud.nova_compute(stale.host, interval=0.1):
        resumed = run("resume_recovery", recovery_id=recovery_id)
    assert (resumed.status, resumed.output["state"]) == ("succeeded", "finished")
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    mark = cloud.placement_mark()
    twice = run("resume_recovery", recovery_id=recovery_id)
    assert (twice.status, twice.output["state"]) == ("succeeded", "finished")
    by_host = run("resume_recovery", host=stale.host)
    assert (by_host.status, "has no unfinished recovery" in by_host.output["summary"]) == ("failed", True)
    assert cloud.placement_writes_since(mark) == []


def test_a_recovery_that_was_abandoned_says_so(cloud, run):
    """The lock could not be taken: all is as it was, and the workflow fails with that."""
    stale = cloud.stale_host(servers=1)
    with failing(cloud, "503", "PUT", "/resource_providers") as clouds:
        execution = run("recover_host", {"clouds_file": clouds}, host=stale.host)
    assert execution.status == "failed"
    assert execution.output["summary"].startswith("lock_provider: placement: ")
    assert "nothing was taken away, recovery" in execution.output["summary"]
    assert cloud.service(stale.host) == enabled()
    assert run("plan_recovery", host=stale.host).output["state"] == "ready"


@contextlib.contextmanager
def failing(cloud, mode, method, path, before=None):
    """A clouds.yaml whose Placement fails so, while the block runs."""
    from lab.openstack.proxy import FaultProxy

    with FaultProxy(cloud.lab.placement_url, before) as proxy:
        proxy.fail(mode, method, path)
        yield cloud.clouds_yaml(placement_url=proxy.url)


@pytest.fixture
def held_in_the_move(cloud, start):
    """A recovery of a host of two servers whose POST that moves the allocations gets no answer yet."""

    @contextlib.contextmanager
    def held():
        stale, reached = cloud.stale_host(servers=2), threading.Event()

        def notice(method, path):
            if (method, path) == ("POST", "/allocations"):
                reached.set()

        with failing(cloud, "hold", "POST", "/allocations", notice) as clouds, start(
            "recover_host", {"clouds_file": clouds}, host=stale.host
        ) as running:
            assert reached.wait(120)
            yield stale, running

    return held


def test_an_action_that_is_killed_while_it_writes_is_resumed_by_the_host(cloud, held_in_the_move, run):
    """SIGKILL at the POST that moves the allocations: no handler runs, the record stands."""
    with held_in_the_move() as (stale, running):
        running.kill("move_allocations")
        execution = running.wait(120)
    assert execution.status == "failed"
    assert "move_allocations" in execution.output["summary"]
    assert "All that was saved is kept; go on with" in execution.output["summary"]
    assert execution.output["next"].startswith("st2 run placement_recovery.resume_recovery recovery_id=")
    with cloud.nova_compute(stale.host, interval=0.1):
        resumed = run("resume_recovery", host=stale.host)
    assert (resumed.status, resumed.output["state"]) == ("succeeded", "finished")
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.service(stale.host) == enabled()


def test_a_run_that_is_cancelled_does_not_say_that_it_is_ready(cloud, held_in_the_move, run):
    """Its output is what was published last; the recovery is resumed once the action has ended."""
    with held_in_the_move() as (stale, running):
        running.cancel()
        running.kill("move_allocations")
        execution = running.wait(120)
    assert (execution.status, execution.output["state"]) == ("canceled", "failed")
    assert "this run did not see its end" in execution.output["summary"]
    assert execution.output["next"] == "st2 run placement_recovery.show_recoveries"
    with cloud.nova_compute(stale.host, interval=0.1):
        resumed = run("resume_recovery", host=stale.host)
    assert (resumed.status, resumed.output["state"], resumed.output["next"]) == ("succeeded", "finished", "")


@pytest.mark.long
def test_a_rollback_that_is_refused_says_why(cloud, run):
    """And not what the record says of a step before."""
    stale = cloud.stale_host(servers=1)
    with cloud.nova_compute(stale.host, interval=0.1):
        done = run("recover_host", host=stale.host)
    refused = run("rollback_recovery", recovery_id=done.output["recovery_id"])
    assert refused.status == "failed"
    assert refused.output["summary"].startswith(f"recovery {done.output['recovery_id']} is finished")


def test_without_an_id_or_a_host_nothing_is_resumed(run):
    """The unfinished ones are counted."""
    execution = run("resume_recovery")
    assert execution.status == "failed"
    assert execution.output["summary"].startswith("give either recovery_id or host. ")


@pytest.mark.long
def test_of_two_workflows_at_once_one_recovers_the_host_and_the_other_names_it(cloud, start):
    """Two triggers for one host: both end, one of them failed."""
    stale = cloud.stale_host(servers=2)
    with cloud.nova_compute(stale.host, interval=0.1):
        both = [start("recover_host", host=stale.host) for _ in range(2)]
        ends = [running.wait(240) for running in both]
    good = [one for one in ends if one.status == "succeeded" and one.output["state"] == "finished"]
    assert len(good) == 1
    other = next(one for one in ends if one is not good[0])
    assert other.status == "failed" or other.output["state"] == "healthy"
    if other.status == "failed":
        assert good[0].output["recovery_id"] in other.output["summary"]
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    assert cloud.service(stale.host) == enabled()


@pytest.mark.long
def test_thirty_servers_are_as_many_tasks_as_three(cloud, run, record_property):
    """Work over consumers is done inside the actions: one request moves all."""
    room = {"VCPU": 30, "MEMORY_MB": 15360, "DISK_GB": 30}
    stale, mark = cloud.stale_host(servers=30, inventories=room), cloud.placement_mark()
    with cloud.nova_compute(stale.host, interval=0.5, inventories=room):
        execution = run("recover_host", host=stale.host)
    assert (execution.status, execution.output["state"]) == ("succeeded", "finished")
    assert names(execution) == list(step_names("transplant"))
    assert len(cloud.provider_allocations(stale.compute_uuid)) == 30
    posts = [one for one in cloud.placement_writes_since(mark) if one.path == "/allocations"]
    assert [one.status for one in posts] == [204]
    for task in execution.tasks:
        record_property(f"seconds of {task.name}", round(task.ended - task.started, 1))
