"""Moves that begin while the host is broken: each is waited for, settled by its owner, and then only trimmed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.openstack import faults
from lab.waiting import LabError, wait_until
from testkit.operator import moved, said

pytestmark = [pytest.mark.lab, pytest.mark.long]
HOST, ELSEWHERE = "compute-0", "compute-4"
AWAY = ("mistaken", "migrated", "evacuated", "rescued")  # moved during the fault, and the last one before it
NAMES = ("live", "resized", "reverted", "confirmed", *AWAY)


class Moves:
    """The moves of one story, in the order in which they are made, with the plan at each point."""

    def __init__(self, operator):
        self.operator, self.client, self.lab = operator, operator.client, operator.lab
        self.servers = self.client.boot_many(NAMES, HOST)
        self.plans = {}

    def before(self):
        """Two servers wait for their owners in VERIFY_RESIZE since before the fault, one was evacuated."""
        for name in ("reverted", "confirmed"):
            self.client.migrate(self.servers[name], ELSEWHERE)
        self.lab.stop_compute(HOST)
        self.client.force_down(HOST)
        self.client.evacuate(self.servers["rescued"], ELSEWHERE)

    def resize(self):
        """While nova-conductor hangs the resize has begun and has no migration; then it is done, and reverted."""
        server = self.servers["resized"]
        self.await_up()
        self.lab.pause("conductor")
        try:
            self.client.act(server, "resize", {"flavorRef": self.client.flavor("large")})
            self.plans["resized, under way"] = self.operator.plan(HOST)
        finally:
            self.lab.resume("conductor")
        self.client.wait_for_status(server, "VERIFY_RESIZE")
        self.plans["resized, not confirmed"] = self.operator.plan(HOST)
        self.client.revert(server)

    def mistake(self):
        """A resize that is confirmed while the host is broken: nova sets the server to ERROR."""
        server = self.servers["mistaken"]
        self.await_up()
        self.client.resize(server)
        with pytest.raises(LabError, match="is in ERROR, not ACTIVE"):
            self.client.confirm(server)

    def migrate(self):
        """A live migration, caught while its destination hangs; then it is done."""
        server = self.servers["migrated"]
        self.lab.pause(ELSEWHERE)
        try:
            self.client.act(server, "os-migrateLive", {"host": ELSEWHERE, "block_migration": "auto"})
            wait_until("the migration is open", lambda: self._migrations(server), 30)
            self.plans["migrated, under way"] = self.operator.plan(HOST)
        finally:
            self.lab.resume(ELSEWHERE)
        self.client.wait_for_status(server, "ACTIVE")

    def evacuate(self):
        """nova-compute is down and the host fenced while a server is rebuilt elsewhere; then both come back."""
        self.lab.stop_compute(HOST)
        self.client.force_down(HOST)
        self.client.evacuate(self.servers["evacuated"], ELSEWHERE)
        self.plans["evacuated, host fenced"] = self.operator.plan(HOST)
        self.unfence()

    def unfence(self):
        """The host is safe again; before nova believes it, nova-compute has to start on a node that nova knows."""
        self.lab.restart_compute(HOST)
        self.client.force_down(HOST, False)
        self.await_up()

    def await_up(self):
        """nova refuses to move servers of a host whose service has not reported for a while, as on a busy machine."""
        wait_until(f"nova takes {HOST} for up", lambda: self.client.service(HOST)["state"] == "up", 60)

    def _migrations(self, server):
        return self.client.nova("GET", f"/os-migrations?instance_uuid={server}")["migrations"]


@pytest.fixture(scope="module")
def story(operator):
    """All moves, then the recovery."""
    moves = Moves(operator)
    moves.before()
    fault = faults.database(operator.lab, HOST)
    moves.unfence()
    with operator.only_hosts(HOST, ELSEWHERE):
        for move in (moves.resize, moves.mistake, moves.migrate, moves.evacuate):
            move()
    before = operator.holders(fault.stale_uuid)
    owners = operator.allocations(moves.servers.values())
    recovered = operator.recover(HOST)
    return SimpleNamespace(
        plans=moves.plans, servers=moves.servers, fault=fault, before=before, owners=owners, recovered=recovered,
        after=operator.holders(fault.new_uuid), owners_after=operator.allocations(moves.servers.values()),
    )


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("resized, under way", "task resize_prep is under way; wait until it is over"),
        ("resized, not confirmed", "revert the resize first"),
        ("migrated, under way", f"live-migration from {HOST} to a host that is not chosen yet"),
        ("evacuated, host fenced", f"the compute service of {HOST} is forced down"),
    ],
)
def test_it_is_refused(story, when, why):
    """With the fact, the server where it is one's, and what to do."""
    plan = story.plans[when]
    about = "" if "fenced" in when else story.servers[when.split(",")[0]]
    refusals = [one for one in plan["refusals"] if about in one]
    assert plan["state"] == "refused"
    assert why in "; ".join(refusals)


@pytest.mark.parametrize("name", AWAY)
def test_who_moved_away_keeps_its_healthy_allocation(story, operator, name):
    """Before it held both places; now it holds the one where it lives, with the same amounts."""
    server = story.servers[name]
    home = operator.client.provider(operator.client.server(server)["OS-EXT-SRV-ATTR:host"])["uuid"]
    assert set(story.owners[server]) == {story.fault.stale_uuid, home}
    assert story.owners_after[server] == {home: story.owners[server][home]}


def test_who_stayed_holds_what_it_held(story):
    """The live server, the one that was reverted, and the source parts of the moves from before the fault."""
    away = {story.servers[name] for name in AWAY}
    kept = {uuid: parts for uuid, parts in story.before.items() if uuid not in away}
    assert len(kept) == 4
    assert story.after == moved(kept, story.fault.stale_uuid, story.fault.new_uuid)


def test_what_a_revert_left_on_the_other_host_is_told(story):
    """Nova skipped the migration's part, so the server holds the destination for good: not ours to take away."""
    server = story.servers["resized"]
    (left,) = set(story.owners[server]) - {story.fault.stale_uuid}
    text = " ".join(said(story.recovered, "plan_recovery", "text").split())
    assert f"server resized {server} also holds {left}, which stays as it is" in text


def test_novas_periodic_leaves_it_so(story, operator):
    """nova-compute went through its allocations, and the servers' have not changed."""
    here = [story.servers["live"], story.servers["resized"]]
    operator.await_periodic(HOST)
    assert operator.allocations(here) == {server: story.owners_after[server] for server in here}


def test_a_move_from_before_can_be_reverted(story, operator):
    """The server comes back to the host and gets there what its migration held for it."""
    server = story.servers["reverted"]
    assert operator.client.revert(server)["OS-EXT-SRV-ATTR:host"] == HOST
    assert list(operator.client.allocations(server)) == [story.fault.new_uuid]


def test_a_move_from_before_can_be_confirmed(story, operator):
    """The server keeps its place elsewhere."""
    server = story.servers["confirmed"]
    assert operator.client.confirm(server)["OS-EXT-SRV-ATTR:host"] == ELSEWHERE
    assert operator.client.allocations(server) == story.owners[server]


def test_the_host_is_as_before(story, operator):
    """Its service is enabled, no lock is left, and a new server boots."""
    assert operator.client.service(HOST)["status"] == "enabled"
    assert operator.locks() == []
    assert operator.client.boot("after", HOST)
