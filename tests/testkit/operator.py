"""What an operator does on a lab: runs the pack's workflows, and looks at what Nova and Placement say."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Set

from lab.stackstorm import runner
from lab.stackstorm.installation import PACK, StackStorm
from lab.waiting import LogMark, wait_until

Parts = Dict[str, Dict[str, int]]


class Operator:
    """One person's hold of one lab, by one StackStorm."""

    def __init__(self, stackstorm: StackStorm) -> None:
        self.stackstorm = stackstorm
        self.lab, self.client = stackstorm.lab, stackstorm.lab.client

    def configured(self, **options: Any) -> Operator:
        """The same with some options of the pack's configuration changed."""
        return Operator(self.stackstorm.configured(**options))

    # The pack

    def start(self, action: str, on_event: runner.OnEvent = lambda _event: None, **parameters: Any) -> runner.Running:
        """Starts an action or a workflow of the pack."""
        return self.stackstorm.start(f"{PACK}.{action}", parameters, on_event)

    def run(self, action: str, on_event: runner.OnEvent = lambda _event: None, **parameters: Any) -> runner.Execution:
        """Runs an action or a workflow to its end, however it ends."""
        return self.stackstorm.run(f"{PACK}.{action}", parameters, on_event)

    def plan(self, host: str, **parameters: Any) -> Dict[str, Any]:
        """The plan for a host, with all that `plan_recovery` says about it."""
        execution = self.run("plan_recovery", host=host, **parameters)
        assert execution.status == "succeeded", execution.result
        said = execution.output
        return {**said["plan"], "text": said["text"], "summary": said["summary"], "next": said["next"]}

    def recover(self, host: str, **parameters: Any) -> runner.Execution:
        """`recover_host`, which has to end with a recovered host."""
        return finished(self.run("recover_host", host=host, **parameters))

    def resume(self, recovery_id: str) -> runner.Execution:
        """`resume_recovery`, which has to end with a recovered host."""
        return finished(self.run("resume_recovery", recovery_id=recovery_id))

    # Nova and Placement

    def allocations(self, consumers: Iterable[str]) -> Dict[str, Parts]:
        """All that these consumers hold, on all providers."""
        return {consumer: self.client.allocations(consumer) for consumer in consumers}

    def holders(self, provider: str) -> Dict[str, Parts]:
        """The consumers of a provider, with all that they hold, on other providers too."""
        return self.allocations(self.client.allocations_of_provider(provider))

    def await_periodic(self, host: str) -> None:
        """Waits until nova-compute has gone through one whole periodic since now; nothing else may act on the host."""
        access = self.lab.mark("placement")
        provider = self.client.provider(host)["uuid"]
        # Each periodic has a request id of its own: the second one begins when the first is over.
        wait_until(f"two periodics of {host}", lambda: len(_looks(access, provider)) > 1, 120, self.lab.log(host))

    def locks(self) -> List[str]:
        """The locks of recoveries that Placement knows, on whatever provider."""
        path = "/traits?name=startswith:CUSTOM_PLACEMENT_RECOVERY_"
        listed: List[str] = self.client.placement("GET", path)["traits"]
        return listed

    @contextlib.contextmanager
    def only_hosts(self, *hosts: str) -> Iterator[None]:
        """All others are disabled meanwhile, so that the scheduler leaves them to the other stories."""
        enabled = [host for host in self.lab.launcher.hosts() if self.client.service(host)["status"] == "enabled"]
        others = [host for host in enabled if host not in hosts]
        for other in others:
            self.client.set_service(other, status="disabled")
        try:
            yield
        finally:
            for other in others:
                self.client.set_service(other, status="enabled")

    def admin_writes(self, access: LogMark, admin: str) -> List[str]:
        """What the cloud's admin, as whom the pack logs in, changed in Placement since the mark."""
        writes = re.compile(rf" {admin} .*\"(PUT|POST|PATCH|DELETE) ")
        return [line for line in access.lines() if writes.search(line)]


def finished(execution: runner.Execution) -> runner.Execution:
    """A recovery that did what it should; AssertionError with what it said otherwise."""
    assert (execution.status, execution.output["state"]) == ("succeeded", "finished"), execution.output["summary"]
    return execution


def said(execution: runner.Execution, task: str, where: str = "summary") -> str:
    """What a task of a workflow said in its summary, or elsewhere in its result."""
    found = [one for one in execution.tasks if one.name == task]
    assert found, f"{task} did not run; these did: {[one.name for one in execution.tasks]}"
    words: str = found[-1].result["result"][where]
    return words


def moved(allocations: Mapping[str, Parts], old: str, new: str) -> Dict[str, Parts]:
    """The same allocations with one provider's UUID in place of another's."""
    return {
        consumer: {new if provider == old else provider: part for provider, part in parts.items()}
        for consumer, parts in allocations.items()
    }


def _looks(access: LogMark, provider: str) -> Set[str]:
    """The request ids under which nova (the admin's requests have none) looked at who holds a provider."""
    look = re.compile(rf"\[(req-\S+) req-.*GET /resource_providers/{provider}/allocations")
    return {found[1] for found in map(look.search, access.lines()) if found}
