"""Drives one workflow through orquesta's conductor, as st2common/services/workflows.py does.

The conductor is touched by the thread that called ``run()`` only; each action runs in a thread of its own and reports
through the inbox. A cancel comes through the inbox too.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orquesta import conducting, events, statuses
from orquesta.specs import native

from lab.stackstorm.inspection import inspect
from lab.stackstorm.pack import Pack
from lab.stackstorm.python_action import Outcome

CANCEL = object()


class Call(Protocol):
    """An accepted request for an action: it can be performed once, after a delay, unless it is canceled before."""

    def perform(self, delay: float) -> Outcome:
        """Wait, run, and say how it ended."""


class Executor(Protocol):
    """Where a workflow's tasks become actions, and where it is told about them."""

    @property
    def pack(self) -> Pack:
        """Whose actions the tasks may use."""

    def request(self, ref: str, given: Mapping[str, Any], task: str, item: int | None) -> Call:
        """Check a request; an exception means that StackStorm would refuse it."""

    def report_actionless(self, task: str) -> None:
        """Tell that a task without an action came and went."""


@dataclass(frozen=True)
class _Done:
    """An action's end, as it comes through the inbox."""

    task: Mapping[str, Any]
    item: int | None
    outcome: Outcome


class Workflow:
    """One run of one workflow."""

    def __init__(self, executor: Executor, definition: str, context: Mapping[str, Any]) -> None:
        self._executor, self._definition, self._context = executor, definition, context
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._running = 0
        self._items: dict[tuple[str, int], list[Any]] = {}

    def cancel(self) -> None:
        """Ask it to start nothing more; what runs is awaited."""
        self._inbox.put(CANCEL)

    def run(self, inputs: Mapping[str, Any]) -> Outcome:
        """Run it to its end; a workflow that cannot be read or fails the inspection is a failed one."""
        try:
            spec = native.WorkflowSpec(self._definition)
            errors = inspect(spec, self._executor.pack)
        except Exception as error:  # StackStorm, too, reports whatever a bad definition raises
            errors = [{"message": f"{type(error).__name__}: {error}"}]
        if errors:
            return Outcome("failed", {"output": None, "errors": errors})
        self._conductor = conducting.WorkflowConductor(spec, context=dict(self._context), inputs=dict(inputs))
        # A look at the status makes the conductor render its input, which may fail it.
        if self._conductor.get_workflow_status() not in statuses.COMPLETED_STATUSES:
            self._conductor.request_workflow_status(statuses.RUNNING)
            self._loop()
        return self._outcome()

    def _loop(self) -> None:
        self._start_next()
        while self._running:
            message = self._inbox.get()
            if message is CANCEL:
                self._cancel()
            else:
                self._running -= 1
                self._record(message)
            self._start_next()

    def _start_next(self) -> None:
        """Start what the conductor hands out, again until it hands out nothing: tasks without actions end at once."""
        while tasks := self._conductor.get_next_tasks():
            for task in tasks:
                self._mark_running(task)
            self._render_output()
            for task in tasks:
                try:
                    self._start(task)
                except Exception as error:  # a refused request fails the workflow, whatever it was
                    self._conductor.request_workflow_status(statuses.FAILED)
                    self._conductor.log_error(error, task_id=task["id"], route=task["route"])
                    self._render_output()
                    return

    def _mark_running(self, task: Mapping[str, Any]) -> None:
        if task.get("items_count") == 0:
            self._update(task, events.ActionExecutionEvent(statuses.RUNNING))
        for action in task["actions"]:
            if action.get("item_id") is None:
                self._update(task, events.ActionExecutionEvent(statuses.RUNNING))
            else:
                event = events.TaskItemActionExecutionEvent(action["item_id"], statuses.RUNNING)
                self._update(task, event)

    def _start(self, task: Mapping[str, Any]) -> None:
        if task["spec"].action is None or task.get("items_count") == 0:
            self._executor.report_actionless(task["id"])
            self._update(task, events.ActionExecutionEvent(statuses.SUCCEEDED))
            self._render_output()
            return
        if "items_count" in task:
            self._items.setdefault((task["id"], task["route"]), [None] * task["items_count"])
        for action in task["actions"]:
            item = action.get("item_id")
            call = self._executor.request(action["action"], action["input"] or {}, task["id"], item)
            self._spawn(call, task, item)

    def _spawn(self, call: Call, task: Mapping[str, Any], item: int | None) -> None:
        # With items and a concurrency, the delay is for the first lot only: eval_action_execution_delay.
        concurrency = task.get("concurrency")
        late = item is not None and concurrency and item >= concurrency
        delay = 0 if late else task.get("delay") or 0

        def perform() -> None:
            self._inbox.put(_Done(task, item, call.perform(delay)))

        self._running += 1
        threading.Thread(target=perform, daemon=True).start()

    def _record(self, done: _Done) -> None:
        self._update(done.task, self._event(done))
        self._render_output()

    def _event(self, done: _Done) -> Any:
        if done.item is None:
            return events.ActionExecutionEvent(done.outcome.status, result=done.outcome.result)
        key = (done.task["id"], done.task["route"])
        results = self._items[key]
        results[done.item] = done.outcome
        accumulated = [outcome.result if outcome else None for outcome in results]
        if all(results):
            del self._items[key]  # a retry, or a loop, begins anew
        return events.TaskItemActionExecutionEvent(
            done.item, done.outcome.status, result=done.outcome.result, accumulated_result=accumulated
        )

    def _cancel(self) -> None:
        if self._conductor.get_workflow_status() not in statuses.COMPLETED_STATUSES:
            self._conductor.request_workflow_status(statuses.CANCELED)
            self._render_output()

    def _update(self, task: Mapping[str, Any], event: Any) -> None:
        self._conductor.update_task_state(task["id"], task["route"], event)

    def _render_output(self) -> None:
        """At the moment of the end, as StackStorm does: a task that still runs on failure changes it no more."""
        if self._conductor.get_workflow_status() in statuses.COMPLETED_STATUSES:
            self._conductor.render_workflow_output()

    def _outcome(self) -> Outcome:
        self._render_output()
        status = self._conductor.get_workflow_status()
        result = {"output": self._conductor.get_workflow_output() or None}
        if status in statuses.ABENDED_STATUSES:
            result["errors"] = self._conductor.errors
        return Outcome(status, result)
