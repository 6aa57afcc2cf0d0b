"""A plan in words: what a person reads, and what is typed next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.cloud.model import Consumer, Hypervisor, Provider, Server
from placement_recovery.cloud.snapshot import Owners, Snapshot
from placement_recovery.config import Config
from placement_recovery.plan.case import Request, Surroundings
from placement_recovery.plan.plan import make_plan
from placement_recovery.plan.report import columns, next_step, render, summary
from testkit.generated import HERE, HOST, NEW, NODE, STALE, service, stale_provider

USUAL = Surroundings(compute_api=(2, 95), reparents=True)


def snapshot(**changes):
    """A stale host with one server and one unknown consumer."""
    held = {STALE: {"VCPU": 2, "MEMORY_MB": 60}}
    usual = {
        "requested_name": HOST,
        "hypervisors": (HERE,), "unreachable_hosts": (), "matches": (HERE,), "service": service(),
        "provider_by_name": stale_provider(), "tree": (stale_provider(),),
        "consumers": (Consumer("one", "p", "u", 1, held), Consumer("two", "p", "u", 1, held)),
        "owners": Owners({"one": Server("one", "web", "ACTIVE", "active", "", HOST, NODE, "p")}),
    }
    return Snapshot(**{**usual, **changes})


def plan(request=None, around=None, **changes):
    """The plan for such a host."""
    return make_plan(snapshot(**changes), request or Request(), Config(), around or USUAL)


def test_a_safe_plan_is_told_in_a_line():
    """With its counts, and what to type."""
    expected = f"{HOST} has the stale provider {STALE}; transplant: keep 2 (1 of unknown owner), trim 0, drop 0"
    assert summary(plan()) == expected
    assert next_step(plan()) == f"st2 run placement_recovery.recover_host host={HOST}"


def test_what_needs_approval_names_its_digest():
    """Method and choice are repeated, so that the same plan is meant."""
    waiting = plan(Request(method="discard", unknown="drop"))
    words = f"host={HOST} method=discard unknown=drop approve={waiting.digest[:8]}"
    assert next_step(waiting) == f"st2 run placement_recovery.recover_host {words}"
    assert "; needs approval: discard takes the host's part away from all 2 consumers" in summary(waiting)


def test_what_is_refused_tells_the_first_reason_and_how_many_more():
    """And nothing to type."""
    refused = plan(service=service(forced_down=True), around=replace(USUAL, unfinished="aaaaaaaaaa"))
    assert summary(refused).startswith(f"{HOST} is not recovered: the compute service of {HOST} is forced down")
    assert summary(refused).endswith("(and 1 more)")
    assert next_step(refused) == ""
    assert any(one.startswith("refused: recovery aaaaaaaaaa of") for one in render(refused).splitlines())


def test_a_healthy_host_has_nothing_to_type():
    """It is said that it is healthy."""
    healthy = replace(stale_provider(), uuid=NEW)
    found = plan(provider_by_name=healthy, provider_by_uuid=healthy, tree=(), consumers=())
    assert summary(found).startswith(f"{HOST} is healthy: ")
    assert next_step(found) == ""


def test_a_host_that_was_asked_for_by_its_node_is_named_so_again():
    """The host's own name may stand for two nodes."""
    second = Hypervisor("other", "node-b", HOST, "QEMU", "up", "enabled")
    first = replace(HERE, node="node-a")
    provider = replace(stale_provider(), name="node-a")
    found = plan(requested_name="node-a", hypervisors=(first, second), matches=(first,), provider_by_name=provider,
                 tree=(provider,),
                 consumers=())
    assert next_step(found) == "st2 run placement_recovery.recover_host host=node-a"


def test_the_whole_plan_shows_proof_consumers_capacity_and_digest():
    """In that order, what is dangerous first."""
    found = plan(Request(unknown="drop"))
    text = render(found)
    lines = text.splitlines()
    assert sum(line.startswith("  [x] ") for line in lines) == 5
    decided = [line.split()[:2] for line in lines if line.startswith(("drop ", "keep "))]
    assert decided == [["drop", "two"], ["keep", "one"]]
    kept = lines.index("keep    one  server web")
    assert lines[kept + 1] == "        MEMORY_MB=60 VCPU=2; ACTIVE on compute-0"
    assert "capacity needed on the new provider: MEMORY_MB 60 of 1000, VCPU 2 of 1000" in lines
    assert f"digest {found.digest[:8]}" in lines
    assert lines[-1] == f"next: {next_step(found)}"


def test_no_line_is_wider_than_a_terminal():
    """But for what is to be typed, which stays on one line; with children, resizes and reasons of any length."""
    uuid = "0d7e3f0a-6c55-4d0f-9d3c-4a1fb9a1f0c1"
    child = Provider(uuid, f"{NODE}_pci_0000_84_00_0", 1, STALE, STALE, {}, (), ())
    parts = {STALE: {"VCPU": 2, "MEMORY_MB": 60}, uuid: {"VGPU": 1}}
    found = plan(
        Request(), USUAL,
        tree=(stale_provider(), *(replace(child, name=f"{child.name}{number}") for number in range(20))),
        consumers=tuple(Consumer(uuid[:-1] + str(number), "p", "u", 1, parts) for number in range(3)),
    )
    lines = render(found).splitlines()
    assert [line for line in lines[:-1] if len(line) > 80] == []
    assert any("child provider(s) move with the root" in line for line in lines)
    assert "and 15 more" in " ".join(lines)
    assert lines[-1].startswith("next: st2 run ")


@pytest.mark.parametrize("state", ["ready", "needs_approval", "refused"])
def test_a_plan_of_each_state_can_be_shown(state):
    """Each line is said once."""
    request = Request(method="discard", unknown="drop") if state == "needs_approval" else Request()
    found = plan(request, service=service(forced_down=state == "refused"))
    assert found.state == state
    lines = [line for line in render(found).splitlines() if line]
    assert len(lines) == len(set(lines))


def test_what_others_wrote_commands_no_terminal():
    """Names and reasons may hold line breaks, colours and worse; the data keeps them, the text does not."""
    evil = "\x1b[31m\n\r\u202eweb\x00"
    owners = Owners({"one": Server("one", evil, "ACTIVE", "active", "", HOST, NODE, "p")})
    found = plan(service=service(status="disabled", disabled_reason=evil), owners=owners)
    assert all(line.isprintable() for line in render(found).split("\n"))
    assert len(render(found).split("\n")) == len(render(plan(service=service(status="disabled"))).split("\n"))
    assert summary(plan(requested_name=HOST, service=service(state=evil))).isprintable()
    assert found.decisions[0].name == evil


def test_columns_are_as_wide_as_their_widest_cell():
    """No blank at the end of a line."""
    assert columns([("a", "b"), ("long", ""), ("", "x")]) == ["a     b", "long", "      x"]
