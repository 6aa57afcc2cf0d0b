"""Workflows: routes, output, retries, joins, items, sub-workflows, cancel and crash."""

from __future__ import annotations

import pytest

FAIL = "{action: runner_pack.answer, input: {how: fail, text: broken}"
SUCCEED = "{action: runner_pack.answer, input: {how: succeed, text: fine}"


def names(execution):
    """The tasks in the order of their starts."""
    return [task.name for task in execution.tasks]


def test_published_values_reach_the_output(pack):
    """A task's result is published, passed on, and is in the output."""
    execution = pack.run("runner_pack.visit_allocations", {"name": "compute-0"})

    assert execution.status == "succeeded"
    assert execution.output == {"summary": "Hello, compute-0, good bye"}
    assert names(execution) == ["arrive", "leave"]


def test_failure_route_with_do_fail_ends_failed(pack):
    """A failure route runs its task, publishes, and ends the workflow failed with its output."""
    execution = pack.run("runner_pack.visit_allocations", {"name": "compute-0", "how": "raise"})

    assert execution.status == "failed"
    assert execution.output == {"summary": "compute-0 was not left properly"}
    assert [(task.name, task.status) for task in execution.tasks][1:] == [("leave", "failed"), ("give_up", "succeeded")]


def test_handled_failure_is_a_success(pack):
    """A failure whose route ends in noop makes the workflow succeed."""
    flow = pack.workflow("only: " + FAIL + ", next: [{when: <% failed() %>, do: noop}]}")

    assert pack.run(flow).status == "succeeded"


@pytest.mark.parametrize("route", ["", ", next: [{when: <% failed() %>, do: continue}]"])
def test_failure_without_a_route_or_with_continue_stays_failed(pack, route):
    """No route, or one that only continues, does not handle a failure."""
    assert pack.run(pack.workflow("only: " + FAIL + route + "}")).status == "failed"


def test_timeout_takes_the_failure_route(pack, tmp_path):
    """For its workflow an action that is killed has failed."""
    flow = pack.workflow(
        """
        wait:
          action: runner_pack.hold
          input: {until: <% ctx().a %>}
          next: [{when: <% failed() %>, publish: [said: <% result().error %>], do: fail}]
        """,
        head="vars: [said: nothing]",
        output="output: [said: <% ctx().said %>]",
    )

    with pack.start(flow, {"a": str(tmp_path / "never")}) as running:
        running.wait_for("output", "wait")
        running.kill()
        execution = running.wait(30)

    assert (execution.status, execution.tasks[0].status) == ("failed", "timeout")
    assert execution.output == {"said": "Action failed to complete in 60 seconds"}


def test_context_knows_user_and_datastore(pack):
    """ctx().st2 says who started it, and st2kv() reads the datastore that the actions write."""
    flow = pack.workflow(
        "count: {action: runner_pack.count, input: {key: runs}, next: [{do: noop}]}",
        output="""
        output:
          - user: <% ctx().st2.user %>
          - action: "{{ ctx().st2.action }}"
          - runs: <% st2kv('system.runs') %>
          - other: <% st2kv('system.nothing', default => none) %>
        """,
    )

    output = pack.run(flow, user="ada").output

    assert output == {"user": "ada", "action": "runner_pack.flow", "runs": "1", "other": "none"}


def test_chat_user_reaches_the_actions_of_a_workflow(pack):
    """Immutable defaults in a task's action see who typed in the chat."""
    flow = pack.workflow(
        """
        greet:
          action: runner_pack.greet
          input: {name: x}
          next: [{publish: [by: <% result().result.by %>]}]
        """,
        head="vars: [by: nobody]",
        output="output: [by: <% ctx().by %>]",
    )

    assert pack.run(flow, api_user="grace").output == {"by": "grace"}


def test_retry_tries_until_it_succeeds(pack):
    """A task is repeated after its delay; actions share the datastore over processes."""
    flow = pack.workflow("try: {action: runner_pack.count, input: {key: n, goal: 3}, retry: {count: 5, delay: 1}}")

    execution = pack.run(flow)

    assert execution.status == "succeeded"
    assert [(task.status, task.result["result"]["count"]) for task in execution.tasks] == [
        ("failed", 1),
        ("failed", 2),
        ("succeeded", 3),
    ]
    assert execution.tasks[1].started - execution.tasks[0].ended >= 1


def test_retry_gives_up(pack):
    """After its count of retries the task has failed."""
    execution = pack.run(pack.workflow("try: {action: runner_pack.count, input: {key: n, goal: 9}, retry: {count: 1}}"))

    assert (execution.status, len(execution.tasks)) == ("failed", 2)


def test_delay_postpones_the_task(pack):
    """A task with a delay starts that many seconds later."""
    flow = pack.workflow("first: " + SUCCEED + ", next: [{do: later}]}\nlater: {delay: 1, action: core.noop}")

    first, later = pack.run(flow).tasks

    assert later.started - first.ended >= 1


def test_join_waits_for_all_branches(pack):
    """Branches run side by side and a join sees what both published."""
    flow = pack.workflow(
        """
        begin: {action: core.noop, next: [{do: [left, right]}]}
        left: {action: core.echo, input: {message: l}, next: [{publish: [l: <% result().stdout %>], do: both}]}
        right: {action: core.echo, input: {message: r}, next: [{publish: [r: <% result().stdout %>], do: both}]}
        both: {join: all, action: core.echo, input: {message: <% ctx().l %><% ctx().r %>}}
        """
    )

    execution = pack.run(flow)

    assert names(execution)[-1] == "both"
    assert execution.tasks[-1].result["stdout"] == "lr"


def test_items_run_one_action_each(pack):
    """A task with items gathers the results in the items' order, with no more at once than allowed."""
    flow = pack.workflow(
        """
        each:
          with: {items: name in <% ctx().hosts %>, concurrency: 2}
          action: core.echo
          input: {message: <% item(name) %>}
          next: [{publish: [said: <% result().select($.stdout) %>]}]
        """,
        head="vars: [hosts: [a, b, c], said: []]",
        output="output: [said: <% ctx().said %>]",
    )

    execution = pack.run(flow)

    assert execution.output == {"said": ["a", "b", "c"]}
    assert sorted(task.item for task in execution.tasks) == [0, 1, 2]


def test_no_items_is_a_success(pack):
    """A task with an empty list of items succeeds without an action."""
    flow = pack.workflow("each: {with: <% list() %>, action: core.echo, input: {message: <% item() %>}}")

    execution = pack.run(flow)

    assert (execution.status, [task.action for task in execution.tasks]) == ("succeeded", [None])


def test_task_without_an_action_succeeds(pack):
    """A task may only route."""
    flow = pack.workflow("choose: {next: [{when: <% ctx().a = x %>, do: go}]}\ngo: {action: core.noop}")

    assert names(pack.run(flow, {"a": "x"})) == ["choose", "go"]


def test_sub_workflow_runs_nested(pack):
    """A task whose action is a workflow runs it the same way; its output is the task's result."""
    flow = pack.workflow(
        """
        visit:
          action: runner_pack.visit_allocations
          input: {name: <% ctx().a %>}
          next: [{publish: [summary: <% result().output.summary %>]}]
        """,
        head="vars: [summary: none]",
        output="output: [summary: <% ctx().summary %>]",
    )

    execution = pack.run(flow, {"a": "compute-1"})

    assert execution.output == {"summary": "Hello, compute-1, good bye"}
    assert [task.path for task in execution.tasks] == [
        ("flow", "visit"),
        ("flow", "visit", "arrive"),
        ("flow", "visit", "leave"),
    ]


def test_failed_sub_workflow_keeps_its_output(pack):
    """The output of a sub-workflow that failed is there for the failure route."""
    flow = pack.workflow(
        """
        visit:
          action: runner_pack.visit_allocations
          input: {name: compute-1, how: fail}
          next: [{when: <% failed() %>, publish: [summary: <% result().output.summary %>], do: fail}]
        """,
        head="vars: [summary: none]",
        output="output: [summary: <% ctx().summary %>]",
    )

    execution = pack.run(flow)

    assert (execution.status, execution.output) == ("failed", {"summary": "compute-1 was not left properly"})


def test_request_that_is_refused_fails_the_workflow_at_once(pack):
    """As in StackStorm a value that breaks the action's metadata takes no failure route."""
    flow = pack.workflow(
        """
        greet:
          action: runner_pack.greet
          input: {name: x, tone: <% ctx().a %>}
          next: [{when: <% failed() %>, do: tidy}]
        tidy: {action: core.noop}
        """
    )

    execution = pack.run(flow, {"a": "loud"})

    assert (execution.status, names(execution)) == ("failed", [])
    assert "'loud' is not one of ['warm', 'cold']" in execution.result["errors"][0]["message"]


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ("only: {action: runner_pack.nothing}", 'Action "runner_pack.nothing" cannot be found'),
        ("only: {action: runner_pack.greet}", 'is missing required input "name"'),
        ("only: {action: core.noop, input: {x: 1}}", 'has unexpected input "x"'),
        ("only: {action: core.noop, next: [{do: nowhere}]}", 'The task "nowhere" is not defined.'),
        ("only: {action: core.echo, input: {message: <% ctx().b %>}}", 'Variable "b" is referenced before assignment'),
    ],
)
def test_workflow_that_fails_the_inspection_does_not_start(pack, tasks, words):
    """Mistakes that StackStorm finds at the start end the workflow before its first task."""
    execution = pack.run(pack.workflow(tasks))

    assert (execution.status, execution.tasks) == ("failed", ())
    assert words in str(execution.result["errors"])


def test_cleanup_beside_fail_still_runs(pack):
    """``do: [tidy, fail]`` runs the task and ends failed."""
    flow = pack.workflow(
        "only: " + FAIL + ", next: [{when: <% failed() %>, do: [tidy, fail]}]}\ntidy: {action: core.noop}"
    )

    execution = pack.run(flow)

    assert (execution.status, names(execution)) == ("failed", ["only", "tidy"])


def test_expression_that_fails_ends_the_workflow(pack):
    """A publish that cannot be rendered fails the workflow there."""
    flow = pack.workflow(
        "only: " + SUCCEED + ", next: [{publish: [x: <% result().nothing.at.all %>], do: then}]}\n"
        "then: {action: core.noop}"
    )

    execution = pack.run(flow)

    assert (execution.status, names(execution)) == ("failed", ["only"])


def test_cancel_lets_the_running_task_end_and_starts_no_other(pack, tmp_path):
    """A canceled workflow, also a nested one, finishes what runs, and runs no failure route."""
    pack.workflow(
        """
        wait: {action: runner_pack.hold, input: {until: <% ctx().a %>}, next: [{do: after}]}
        after: {action: core.noop}
        """,
        name="inner",
    )
    flow = pack.workflow(
        """
        nest: {action: runner_pack.inner, input: {a: <% ctx().a %>}, next: [{do: last}]}
        last: {action: core.noop}
        """
    )

    with pack.start(flow, {"a": str(tmp_path / "file")}) as running:
        running.wait_for("output", "wait")
        running.cancel()
        (tmp_path / "file").touch()
        execution = running.wait(30)

    assert execution.status == "canceled"
    assert [(task.name, task.status) for task in execution.tasks] == [("nest", "canceled"), ("wait", "succeeded")]


def test_cancel_ends_a_delay(pack):
    """A task that waits for its delay is not started any more."""
    flow = pack.workflow("first: " + SUCCEED + ", next: [{do: later}]}\nlater: {delay: 600, action: core.noop}")

    with pack.start(flow) as running:
        running.wait_for("ended", "first")
        running.cancel()
        execution = running.wait(30)

    assert (execution.status, names(execution)) == ("canceled", ["first"])


def test_crash_leaves_nothing_running_and_runs_no_route(pack, tmp_path, gone):
    """When the machine dies no failure route runs; what the execution was doing is gone."""
    flow = pack.workflow(
        """
        wait:
          action: runner_pack.hold
          input: {until: <% ctx().a %>}
          next: [{when: <% failed() %>, do: tidy}]
        tidy: {action: core.noop}
        """
    )

    with pack.start(flow, {"a": str(tmp_path / "never")}) as running:
        line = running.wait_for("output", "wait")["line"]
        running.crash()
        execution = running.wait(30)

    assert (execution.status, names(execution)) == ("abandoned", ["wait"])
    assert gone(line)
