"""One run: the tree of executions, what they share, and the events that tell of them."""

from __future__ import annotations

import logging
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.stackstorm import parameters
from lab.stackstorm.configuration import Lookup
from lab.stackstorm.datastore import DatastoreService
from lab.stackstorm.pack import Action, Pack
from lab.stackstorm.python_action import ActionLauncher, Outcome

Emit = Callable[..., None]


def read_datastore(key: str, decrypt: bool = False) -> str | None:
    """A system key's value, or None. A connection of its own each time: executions run in threads."""
    service = DatastoreService(logging.getLogger("st2kv"), "", "")
    value: str | None = service.get_value(key, local=False, decrypt=decrypt)
    return value


@dataclass
class Run:
    """What all executions of one run share."""

    pack: Pack
    launcher: ActionLauncher
    emit: Emit
    canceled: threading.Event = field(default_factory=threading.Event)
    _workflows: list[Any] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def request(
        self,
        ref: str,
        given: Mapping[str, Any],
        context: Mapping[str, Any],
        path: tuple[str, ...],
        item: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Execution:
        """Accept a request for an action; ParameterError or PackError where StackStorm would refuse it.

        ``more`` is what templates in the given parameters may use beside the usual.
        """
        action = self.pack.action(ref)
        if not action.enabled:
            raise parameters.ParameterError(f'Unable to execute. Action "{ref}" is disabled.')
        live = parameters.request_parameters(action, given, {**self.scope(context), **(more or {})})
        return Execution(self, action, live, context, path, item)

    def scope(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """What a template in a parameter may use."""
        return {
            "action_context": dict(context),
            "config_context": dict(self.launcher.config),
            "st2kv": {"system": Lookup(read_datastore)},
        }

    def enter(self, workflow: Any) -> None:
        """Make a workflow hear of a cancel, also of one that has been asked for already."""
        with self._lock:
            self._workflows.append(workflow)
            if self.canceled.is_set():
                workflow.cancel()

    def cancel(self) -> None:
        """Start nothing more: workflows are told, delays end, running actions are left alone."""
        with self._lock:
            self.canceled.set()
            for workflow in self._workflows:
                workflow.cancel()


@dataclass
class Execution:
    """One accepted request for an action; of a workflow it is also the executor of the workflow's tasks."""

    run: Run
    action: Action
    live: Mapping[str, Any]
    context: Mapping[str, Any]
    path: tuple[str, ...]
    item: int | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:24])

    @property
    def pack(self) -> Pack:
        """The pack, for the inspection of a workflow."""
        return self.run.pack

    def perform(self, delay: float = 0) -> Outcome:
        """Wait, run the action, tell of its start and end; whatever goes wrong inside is a failed outcome."""
        if delay and self.run.canceled.wait(delay):
            return Outcome("canceled", None)
        self._tell("started")
        try:
            outcome = self._run()
        except Exception as error:  # as in StackStorm's runner container
            outcome = Outcome("failed", {"error": str(error), "traceback": traceback.format_exc()})
        self._tell("ended", status=outcome.status, result=outcome.result)
        return outcome

    def request(self, ref: str, given: Mapping[str, Any], task: str, item: int | None) -> Execution:
        """Accept a task's action; its context is the one that st2common/services/workflows.py makes."""
        context = {
            "pack": ref.split(".")[0],
            "user": self.context.get("user"),
            "parent": {**self._inherited(), "execution_id": self.id},
            "orquesta": {"task_name": task, "task_id": task},
            **self._inherited("api_user"),
        }
        return self.run.request(ref, given, context, (*self.path, task), item)

    def report_actionless(self, task: str) -> None:
        """Tell of a task that has no action, which succeeds at once."""
        about = {"id": uuid.uuid4().hex[:24], "path": [*self.path, task], "action": None, "item": None}
        self.run.emit("started", **about, time=time.time())
        self.run.emit("ended", **about, time=time.time(), status="succeeded", result=None)

    def _run(self) -> Outcome:
        runner, own = parameters.final_parameters(self.action, self.live, self.run.scope(self.context))
        if self.action.runner_type == "python-script":
            emit = self._tell_output
            return self.run.launcher.run(self.action, runner, own, self.path[-1], emit)
        if self.action.runner_type == "orquesta":
            return self._run_workflow(own)
        return _stock(self.action, own)

    def _run_workflow(self, inputs: Mapping[str, Any]) -> Outcome:
        # Not before the engine has given orquesta its functions.
        from lab.stackstorm.workflow import Workflow

        definition = self.action.entry_point.read_text(encoding="utf-8")
        workflow = Workflow(self, definition, {"st2": self._st2_context(), "parent": dict(self.context)})
        self.run.enter(workflow)
        return workflow.run(inputs)

    def _st2_context(self) -> dict[str, Any]:
        return {
            "action_execution_id": self.id,
            "workflow_execution_id": uuid.uuid4().hex[:24],
            "api_url": "",
            "action": self.action.ref,
            "runner": self.action.runner_type,
            **self._inherited(),
        }

    def _inherited(self, *names: str) -> dict[str, Any]:
        names = names or ("user", "pack", "api_user")
        return {name: self.context[name] for name in names if name in self.context}

    def _tell(self, event: str, **more: Any) -> None:
        about = {"id": self.id, "path": self.path, "action": self.action.ref, "item": self.item}
        self.run.emit(event, **about, time=time.time(), **more)

    def _tell_output(self, stream: str, line: str) -> None:
        self.run.emit("output", id=self.id, path=self.path, stream=stream, line=line)


def _stock(action: Action, values: Mapping[str, Any]) -> Outcome:
    """core.noop and core.echo: the results of the noop and the local shell runner."""
    result: dict[str, Any] = {"failed": False, "succeeded": True, "return_code": 0}
    if action.ref == "core.echo":
        result.update(stdout=values["message"], stderr="")
    return Outcome("succeeded", result)
